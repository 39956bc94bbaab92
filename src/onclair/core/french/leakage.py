"""The leakage audit: what each check found, what to do about it, and why a check could not run."""

from __future__ import annotations

_ALONE = r" alone predicts the outcome \(AUC ([\d.]+)\): a model that recognises the "
_JUDGE = r" looks good without reading disease\. Judge within each "
_RIVAL = r", and compare with a rival that knows only the "
_COPIES = (
    r": the model may remember them instead of reading them\. Find out whether they are the same patient, and keep copies in one split"
)
_COPIED = r" : le modèle peut s'en souvenir au lieu de les lire. Vérifiez s'il s'agit du même patient et gardez les copies d'un seul côté"
_FUTURE = r": the model learns from the future of those it is judged on\. Train on the past alone"
_PAST = r" : le modèle apprend de l'avenir de ceux sur qui il est jugé. N'apprenez que du passé"

LEAKAGE: tuple[tuple[str, str], ...] = (
    # findings
    (
        r"(\d+) patients? ha(?:s|ve) rows in more than one split, so the model is judged on people it has learnt\. Split by patient",
        r"\1 patient(s) dans plus d'une partie : le modèle est jugé sur des personnes qu'il a apprises. Découpez par patient",
    ),
    (
        r"(\d+) lesions? or exams? stands? in more than one split: learnt, and judged\. Put all rows of one identifier into one split",
        r"\1 lésion(s) ou examen(s) dans plus d'une partie : appris, et jugés. Mettez toutes les lignes d'un identifiant d'un seul côté",
    ),
    (
        rf"(\d+) held-out rows? ha(?:s|ve) the very features of a row in another split{_COPIES}",
        rf"\1 ligne(s) mise(s) de côté ont exactement les caractéristiques d'une ligne d'une autre partie{_COPIED}",
    ),
    (
        (
            r"(\d+) held-out rows? lies? far nearer to a row of another split \(at most (\S+) robust units\) "
            rf"than rows of one split lie to each other{_COPIES}"
        ),
        (
            r"\1 ligne(s) mise(s) de côté bien plus proches d'une ligne d'une autre partie (au plus \2 unités robustes) "
            rf"que ne le sont entre elles les lignes d'une même partie{_COPIED}"
        ),
    ),
    (
        (
            r"(\d+) features? alone tells? the outcome \(AUC above ([\d.]+) either way\), as what is measured after it would\."
            r"(?P<luck> With fewer than \d+ patients in a class this may be luck\.)"
            r" Find out how and when it is obtained, or leave it out"
        ),
        (
            r"\1 caractéristique(s) révèle(nt) à elle(s) seule(s) le critère (AUC au-delà de \2 dans un sens ou l'autre), comme ce que "
            r"l'on mesure après lui.\3 Vérifiez comment et quand elle est obtenue, ou écartez-la"
        ),
    ),
    (
        (
            r"(\d+) features? alone tells? the outcome \(AUC above ([\d.]+) either way\), as what is measured after it would\."
            r" Find out how and when it is obtained, or leave it out"
        ),
        (
            r"\1 caractéristique(s) révèle(nt) à elle(s) seule(s) le critère (AUC au-delà de \2 dans un sens ou l'autre), comme ce que "
            r"l'on mesure après lui. Vérifiez comment et quand elle est obtenue, ou écartez-la"
        ),
    ),
    (
        r" With fewer than (\d+) patients in a class this may be luck",
        r" Avec moins de \1 patients dans une classe, ce peut être un hasard",
    ),
    (
        (
            r"In (?P<where>.+) the place of a row alone tells its outcome \(AUC ([\d.]+) either way\): rows are sorted by it, or nearly\. "
            r"A split by position, or any number given in that order, leaks"
        ),
        (
            r"Dans \1, la place d'une ligne révèle à elle seule son critère (AUC \2 dans un sens ou l'autre) : les lignes sont triées "
            r"selon lui, ou presque. Un découpage par position, ou tout numéro donné dans cet ordre, est une fuite"
        ),
    ),
    (r"shuffle patients first", r"mélangez d'abord les patients"),
    (r"the file", r"le fichier"),
    (r"the split '(?P<name>.+)'", r"la partie « \1 »"),
    (
        r"Training and held-out rows are of the same time, as in a split at random",
        r"Apprentissage et jugement sont de la même époque, comme dans un découpage au hasard",
    ),
    (r"the figures say nothing of patients to come", r"les grandeurs ne disent rien des patients à venir"),
    (
        rf"(\d+) training rows? (?:is|are) later than the first held-out row although the split follows time{_FUTURE}",
        rf"\1 ligne(s) d'apprentissage postérieure(s) à la première mise de côté, bien que le découpage suive le temps{_PAST}",
    ),
    (
        rf"The split runs backwards in time: (\d+) training rows? (?:is|are) later than the first held-out row{_FUTURE}",
        rf"Le découpage remonte le temps : \1 ligne(s) d'apprentissage postérieure(s) à la première mise de côté{_PAST}",
    ),
    (
        rf"The centre{_ALONE}centre{_JUDGE}centre{_RIVAL}centre",
        (
            r"Le centre prédit à lui seul le critère (AUC \1) : un modèle qui reconnaît le centre paraît bon sans lire la maladie. "
            r"Jugez dans chaque centre, et comparez à un rival qui ne connaît que le centre"
        ),
    ),
    (
        rf"The scanner{_ALONE}scanner{_JUDGE}scanner{_RIVAL}scanner",
        (
            r"L'appareil prédit à lui seul le critère (AUC \1) : un modèle qui reconnaît l'appareil paraît bon sans lire la maladie. "
            r"Jugez pour chaque appareil, et comparez à un rival qui ne connaît que l'appareil"
        ),
    ),
    (
        (
            r"(\d+) features? (?:was|were) standardised or ranked on all rows together: held-out rows took part\. "
            r"Fit every transformation on the training rows alone"
        ),
        (
            r"\1 caractéristique(s) normalisée(s) ou mise(s) en rangs sur toutes les lignes ensemble : les lignes mises de côté y ont pris "
            r"part. Ajustez toute transformation sur les seules lignes d'apprentissage"
        ),
    ),
    (
        (
            r"On labels shuffled between patients the pipeline still reaches AUC ([\d.]+) on the held-out rows, where \.50 is honest "
            r"\((\d+) shuffles\)\. Something in the held-out rows is known from training"
        ),
        (
            r"Sur des critères permutés entre patients, la chaîne atteint encore une AUC de \1 sur les lignes mises de côté, où 0,50 "
            r"serait honnête (\2 permutations). Quelque chose dans ces lignes est connu de l'apprentissage"
        ),
    ),
    # why a check could not run
    (r"the plan names no centre column", r"le plan ne nomme pas de colonne centre"),
    (r"the plan names no scanner column", r"le plan ne nomme pas de colonne appareil"),
    (r"the plan names no date column", r"le plan ne nomme pas de colonne date"),
    (r"the plan names neither a lesion nor an exam column", r"le plan ne nomme ni colonne lésion ni colonne examen"),
    (r"no split reads as training \((?P<names>.+)\)", r"aucune partie ne se lit comme l'apprentissage (\1)"),
    (r'name it with training = "\.\.\." in the plan', r'nommez-la par training = "..." dans le plan'),
    (r"no training row or no held-out row has a date", r"aucune ligne d'apprentissage ou aucune ligne mise de côté n'a de date"),
    (r"the training rows hold one class", r"les lignes d'apprentissage n'ont qu'une classe"),
    (r"the held-out rows hold one class", r"les lignes mises de côté n'ont qu'une classe"),
    # what was missing
    (r"(\d+) of (\d+) feature values are missing", r"\1 valeurs de caractéristiques sur \2 manquent"),
    (
        r"each check leaves them out, and distances take the median in their place",
        r"chaque contrôle les écarte, et les distances prennent la médiane à leur place",
    ),
    (r"(\d+) of (\d+) rows have no (?:date)", r"\1 lignes sur \2 n'ont pas de date"),
    (r"(\d+) of (\d+) rows have no (?:centre)", r"\1 lignes sur \2 n'ont pas de centre"),
    (r"(\d+) of (\d+) rows have no (?:scanner)", r"\1 lignes sur \2 n'ont pas d'appareil"),
    (r"(\d+) of (\d+) rows have no (?:lesion)", r"\1 lignes sur \2 n'ont pas de lésion"),
    (r"(\d+) of (\d+) rows have no (?:exam)", r"\1 lignes sur \2 n'ont pas d'examen"),
    (r"its checks leave them out", r"ses contrôles les écartent"),
)
