"""An audit's gates, rules and verdict, and how its own figures were had."""

from __future__ import annotations

AUDIT: tuple[tuple[str, str], ...] = (
    # figures inside a sentence
    (r"(-?[\d.]+) \((-?[\d.]+) to (-?[\d.]+)\)", r"\1 (\2 à \3)"),
    (r"(-?\d+\.\d+)", r"\1"),
    # the card
    (r"The score needs what the card does not say: (?P<name>.+)", r"Il faut au score ce que la fiche ne dit pas : \1"),
    (r"The score can be computed", r"Le score peut être calculé"),
    (r"(\d+) items are missing: (?P<name>.+)", r"\1 points manquent : \2"),
    (r"The card says all that it could", r"La fiche dit tout ce qu'elle pouvait"),
    # extraction
    (
        r"The cohort brings no values of the authors \(authors\.csv\) to compare with",
        r"La cohorte n'apporte aucune valeur des auteurs (authors.csv) à comparer",
    ),
    (r"authors\.csv holds none of the card's features", r"authors.csv ne contient aucune caractéristique de la fiche"),
    (
        r"Our values are not the authors' for (?P<name>.+): settings or engine differ",
        r"Nos valeurs ne sont pas celles des auteurs pour \1 : réglages ou moteur diffèrent",
    ),
    (
        r"Our values are the authors' for all (\d+) features compared",
        r"Nos valeurs sont celles des auteurs pour les \1 caractéristiques comparées",
    ),
    (r"largest relative difference from the authors' values", r"plus grand écart relatif aux valeurs des auteurs"),
    (r"no patient has both values, the authors' one not 0", r"aucun patient n'a les deux valeurs, celle des auteurs non nulle"),
    # rivals
    (r"There is no score to set beside the rivals", r"Il n'y a pas de score à mettre à côté des rivaux"),
    (
        r"the score ranks patients no better than (?P<name>.+): no interval of a difference lies above 0",
        r"le score ne classe pas mieux que \1 : aucun intervalle d'une différence n'est au-dessus de 0",
    ),
    (r"The score ranks patients better than (?P<name>.+)", r"Le score classe les patients mieux que \1"),
    (
        r"Signs differ between published fits of these features \((?P<name>.+)\): they are collinear",
        r"Les signes diffèrent entre les ajustements publiés de ces caractéristiques (\1) : elles sont colinéaires",
    ),
    (
        r"(\d+) of (\d+) features have a variance inflation of (\d+) or more",
        r"\1 caractéristiques sur \2 ont une inflation de variance de \3 ou plus",
    ),
    (r"(?P<name>\S+) has no value for (\d+) patients", r"\1 n'a pas de valeur chez \2 patients"),
    (r"the cohort brings no clinical columns \(clinical\.csv\)", r"la cohorte n'apporte pas de colonnes cliniques (clinical.csv)"),
    (r"clinical\.csv holds no column that varies", r"clinical.csv ne contient aucune colonne qui varie"),
    (r"too few events to fit a clinical model out of fold", r"trop peu d'événements pour ajuster un modèle clinique hors pli"),
    (r"the clinical model could not be fitted: (?P<why>.+)", r"le modèle clinique n'a pu être ajusté : \1"),
    (r"no clinical column varies in a training fold", r"aucune colonne clinique ne varie dans un pli d'apprentissage"),
    (
        r"ridge logistic on (\d+) clinical columns, out of fold, (\d+) folds by patient, (\d+) repeats",
        r"logistique ridge sur \1 colonnes cliniques, hors pli, \2 plis par patient, \3 répétitions",
    ),
    (
        r"ridge Cox on (\d+) clinical columns, out of fold, (\d+) folds by patient, (\d+) repeats",
        r"Cox ridge sur \1 colonnes cliniques, hors pli, \2 plis par patient, \3 répétitions",
    ),
    (
        r"likelihood ratio of the score added to log volume in a logistic model, chi-square with 1 degree",
        r"rapport de vraisemblance du score ajouté au log du volume dans un modèle logistique, chi carré à 1 degré",
    ),
    (r"the score does not vary, or a volume is zero", r"le score ne varie pas, ou un volume est nul"),
    (
        r"variance inflation factor: the diagonal of the inverse correlation matrix of the card's features",
        r"facteur d'inflation de variance : diagonale de l'inverse de la matrice de corrélation des caractéristiques de la fiche",
    ),
    (
        r"share of (\d+) bootstrap refits \(ridge logistic, standardised\) in which the coefficient keeps the card's sign",
        r"part de \1 réajustements bootstrap (logistique ridge, standardisée) où le coefficient garde le signe de la fiche",
    ),
    # controls
    (
        r"(\d+) of (\d+) features are the same whatever the voxels' places",
        r"\1 caractéristiques sur \2 sont les mêmes où que soient les voxels",
    ),
    (
        r"(\d+) of (\d+) promising features stay so on shuffled voxels",
        r"\1 caractéristiques prometteuses sur \2 le restent, voxels mélangés",
    ),
    (r"There is no score to try on destroyed signals", r"Il n'y a pas de score à essayer sur des signaux détruits"),
    (
        r"The score does as well on shuffled voxels \(difference (?P<text>.+)\): it reads no texture",
        r"Le score fait aussi bien sur des voxels mélangés (différence \1) : il ne lit aucune texture",
    ),
    (
        r"The score changes when the voxels are shuffled \(difference (?P<text>.+)\)",
        r"Le score change quand les voxels sont mélangés (différence \1)",
    ),
    (r"median over (\d+) copies of value and interval", r"médiane sur \1 copies de la valeur et de l'intervalle"),
    (r"mean of the folded figure over (\d+) copies", r"moyenne sur \1 copies de la valeur repliée"),
    (r"a mean over copies, without interval", r"une moyenne sur des copies, sans intervalle"),
    (r"turned to the side above one half", r"tourné du côté au-dessus d'un demi"),
    (r"a feature has no value on some destroyed copies", r"une caractéristique n'a pas de valeur sur certaines copies détruites"),
    (r"the feature has no value for some patients or copies", r"la caractéristique manque chez des patients ou des copies"),
    (
        r"a network reads an image, not features",
        r"un réseau lit une image, pas des caractéristiques",
    ),
    (r"its controls destroy the image instead", r"ses contrôles détruisent l'image à la place"),
    (r"(?P<how>.+), (\d+) draws", r"\1, \2 tirages"),
    (
        r"each feature dealt anew to the patients, by itself, the card's own weights kept",
        r"chaque caractéristique redistribuée seule entre les patients, poids de la fiche gardés",
    ),
    (
        r"the card's weights redrawn \(normal, on standardised features\), each draw turned to the side on which it does better",
        r"poids de la fiche retirés au sort (loi normale, caractéristiques standardisées), chacun tourné du côté où il fait mieux",
    ),
    (
        r"Every feature is permutation-invariant: (?P<why>.+), so that surviving shuffles proves nothing",
        r"Chaque caractéristique est invariante par permutation : \1, si bien que survivre au mélange ne prouve rien",
    ),
    (r"it reads shape alone", r"elle ne lit que la forme"),
    (r"it reads intensities, not their places", r"elle lit les intensités, pas leurs places"),
    # perturbation
    (r"Outline and image were not perturbed", r"Contour et image n'ont pas été perturbés"),
    (
        r"(\d+) of (\d+) features are steady over (\d+) looks at each patient",
        r"\1 caractéristiques sur \2 sont stables sur \3 regards par patient",
    ),
    (
        r"ICC\(1,1\) of the score over (\d+) looks at each patient: (?P<text>.+)",
        r"CCI(1,1) du score sur \1 regards par patient : \2",
    ),
    (r"at least ([\d.]+) is asked of the lower bound", r"il est demandé au moins \1 à la borne basse"),
    # batch and harmonisation
    (
        r"All patients come from one centre, and the tables name no other batch",
        r"Tous les patients viennent d'un centre, et les tables ne nomment aucun autre lot",
    ),
    (r"all patients come from one centre", r"tous les patients viennent d'un même centre"),
    (r"There is no score to judge within batches", r"Il n'y a pas de score à juger dans les lots"),
    (r"there is no score to rank patients within a batch by", r"il n'y a pas de score pour classer dans un lot"),
    (
        r"what the score tells hangs on (?P<name>.+): within a batch it ranks no better than chance",
        r"ce que dit le score tient à \1 : dans un même lot, il ne classe pas mieux que le hasard",
    ),
    (r"The score is not explained by (?P<name>.+)", r"Le score n'est pas expliqué par \1"),
    (r"batches by (?P<name>\S+)", r"lots selon \1"),
    (
        r"Harrell's C over pairs of the same batch, (\d+) of (\d+) batches hold some",
        r"C de Harrell sur les paires d'un même lot, \1 lots sur \2 en contiennent",
    ),
    (r"no batch holds two patients who can be compared", r"aucun lot ne contient deux patients comparables"),
    (r"There are no batches to harmonise", r"Il n'y a aucun lot à harmoniser"),
    (
        r"ComBat by (?P<name>\S+), fitted on all patients without the outcome",
        r"ComBat selon \1, ajusté sur tous les patients sans le critère",
    ),
    (r"there is no score to compare", r"il n'y a pas de score à comparer"),
    (
        r"the score goes to (?P<text>.+), a loss of (?P<other>[^:]+): part of what it tells is the batch",
        r"le score passe à \1, une perte de \2 : une part de ce qu'il dit est le lot",
    ),
    (r"the score goes to (?P<text>.+), a loss of (?P<other>[^:]+)", r"le score passe à \1, une perte de \2"),
    (r"'(?P<name>.+)' against '(?P<name_of_other>.+)'", r"« \1 » contre « \2 »"),
    (r"logit scale", r"échelle logit"),
    (r"ridge logistic on the card's features", r"logistique ridge sur les caractéristiques de la fiche"),
    (
        r"Kruskal-Wallis 1952 and Brown-Forsythe 1974, Benjamini & Hochberg 1995 over both, q < ([\d.]+)",
        r"Kruskal-Wallis 1952 et Brown-Forsythe 1974, Benjamini & Hochberg 1995 sur les deux, q < \1",
    ),
    (r"(\d+) features", r"\1 caractéristiques"),
    # external
    (r"No external cohort was given \(--external\)", r"Aucune cohorte externe n'a été donnée (--external)"),
    (
        r"(?P<counts>.+ patients of the external cohort): (?P<text>.+), which chance alone would allow",
        r"\1 : \2, ce que le hasard seul permettrait",
    ),
    (r"(?P<counts>.+ patients of the external cohort): (?P<text>.+)", r"\1 : \2"),
    (r"(\d+) events among (\d+) patients of the external cohort", r"\1 événements chez \2 patients de la cohorte externe"),
    # risks
    (
        r"the network gives a score, and no risk to compare with the outcome",
        r"le réseau donne un score, et aucun risque à comparer au critère",
    ),
    (
        r"the card gives no (intercept|baseline), so there is no risk to compare with the outcome",
        r"la fiche ne donne pas la constante (\1) : il n'y a pas de risque à comparer au critère",
    ),
    (r"the card gives a risk by a time, and the outcome has none", r"la fiche donne un risque à échéance, et le critère n'en a pas"),
    (
        r"the card gives a risk without a time, and the outcome comes in time",
        r"la fiche donne un risque sans échéance, et le critère vient dans le temps",
    ),
    (
        r"the baseline of the card counts in (?P<name>\S+), the outcome in (?P<name_of_other>\S+)",
        r"la fiche compte en \1, le critère en \2",
    ),
    # interpretation
    (
        r"The cohort brings no reader scores or biology \(semantic\.csv\)",
        r"La cohorte n'apporte ni lectures ni biologie (semantic.csv)",
    ),
    (
        r"semantic\.csv holds no column that enough patients share and that varies",
        r"semantic.csv ne contient aucune colonne qui varie chez assez de patients",
    ),
    (
        r"Of (\d+) columns of semantic\.csv, the score goes with (?P<what>nothing) \(at most (\d+)% of such calls false\)",
        r"Sur \1 colonnes de semantic.csv, le score ne va avec \2 (au plus \3 % de tels appels faux)",
    ),
    (r"nothing", r"rien"),
    (
        r"of (\d+) columns of semantic\.csv, the score goes with (?P<name>.+) \(at most (\d+)% of such calls false\)",
        r"sur \1 colonnes de semantic.csv, le score va avec \2 (au plus \3 % de tels appels faux)",
    ),
    # verdict
    (
        r"'(?P<name>.+)' cannot be replicated from what was published: the card does not say (?P<name_of_item>.+)",
        r"« \1 » ne peut être répliqué d'après ce qui est publié : la fiche ne dit pas \2",
    ),
    (
        r"(\d+) events and (\d+) non-events are too few to say whether '(?P<name>.+)' holds \((?P<figure>.+)\)",
        r"\1 événements et \2 non-événements sont trop peu pour dire si « \3 » tient (\4)",
    ),
    (
        r"(\d+) events and (\d+) non-events are too few to say whether '(?P<name>.+)' holds",
        r"\1 événements et \2 non-événements sont trop peu pour dire si « \3 » tient",
    ),
    (
        r"(\d+) events and (\d+) non-events are too few to say that any of them holds",
        r"\1 événements et \2 non-événements sont trop peu pour dire qu'une seule tient",
    ),
    (
        r"(?P<counted>.+ features look promising \(above 0\.7\)), and (\d+) of these still do with the voxels shuffled",
        r"\1, et \2 le restent, voxels mélangés",
    ),
    (
        r"(\d+) of (\d+) features look promising \(above 0\.7\)",
        r"\1 caractéristiques sur \2 semblent prometteuses (au-dessus de 0,7)",
    ),
    (r"(?P<held>'.+ on these patients) \((?P<figure>.+)\)", r"\1 (\2)"),
    (r"'(?P<name>.+)' held on these patients", r"« \1 » a tenu chez ces patients"),
    (r"'(?P<name>.+)' did not hold on these patients", r"« \1 » n'a pas tenu chez ces patients"),
    (r"AUC (-?[\d.]+), (-?[\d.]+) to (-?[\d.]+)", r"AUC \1, \2 à \3"),
    (r"Harrell's C (-?[\d.]+), (-?[\d.]+) to (-?[\d.]+)", r"C de Harrell \1, \2 à \3"),
    (
        r"neither lesion volume, nor the intensities alone, nor the batch explains what it measures",
        r"ni le volume de la lésion, ni les intensités seules, ni le lot n'expliquent ce qu'il mesure",
    ),
    (r"what it measures here is (?P<what>.+) and (?P<other>.+)", r"ce qu'il mesure ici, c'est \1 et \2"),
    (r"what it measures here is (?P<what>.+)", r"ce qu'il mesure ici, c'est \1"),
    (r"lesion volume", r"le volume de la lésion"),
    (r"intensities whatever their place \(no texture\)", r"les intensités où qu'elles soient (pas la texture)"),
    (r"which scanner or centre the patient came from", r"le scanner ou le centre d'où vient le patient"),
    # rules
    (
        r"volume: \|Spearman\(score, volume\)\| >= ([\d.]+) and the lower bound of \(model - volume\) <= 0",
        r"volume : |Spearman(score, volume)| ≥ \1 et borne basse de (modèle − volume) ≤ 0",
    ),
    (
        r"intensity: median Spearman\(score, shuffled score\) >= ([\d.]+) and the lower bound of \(model - shuffled\) <= 0",
        r"intensité : Spearman médian(score, score mélangé) ≥ \1 et borne basse de (modèle − mélangé) ≤ 0",
    ),
    (r"not of shape alone", r"sauf pour un score qui ne lit que la forme"),
    (
        r"batch: pooled lower bound > ([\d.]+) but within batches <= ([\d.]+), or batch and outcome aliased \(Cramer's V >= ([\d.]+)\)",
        r"lot : borne basse globale > \1 mais ≤ \2 dans les lots, ou lot et critère confondus (V de Cramér ≥ \3)",
    ),
    (r"not_replicable: the card lacks what the score needs", r"non réplicable : il manque à la fiche ce qu'il faut au score"),
    (r"insufficient: fewer than (\d+) events or (\d+) non-events", r"insuffisant : moins de \1 événements ou \2 non-événements"),
    (
        r"replicated: lower bound > ([\d.]+) and the interval meets the reported one",
        r"répliqué : borne basse > \1 et intervalle qui rencontre celui de l'article",
    ),
    (r"not_replicated otherwise", r"non répliqué sinon"),
    # warnings
    (
        r"These patients are virtual: no figure here says anything about a person",
        r"Ces patients sont virtuels : aucun chiffre ne dit rien d'une personne",
    ),
    (
        r"(\d+) events and (\d+) non-events are too few for a validation claim",
        r"\1 événements et \2 non-événements sont trop peu pour une validation",
    ),
    (r"at least (\d+) of each are needed", r"il en faut au moins \1 de chaque"),
    (r"(?P<name>\S+) was left out: (?P<why>.+)", r"\1 est exclu : \2"),
    (r"the outcome '(?P<name>.+)' is missing", r"le critère « \1 » manque"),
    (r"the time '(?P<name>.+)' is missing or not positive", r"le temps « \1 » manque ou n'est pas positif"),
    (r"the feature (?P<name>\S+) has no value: (?P<name_of_reason>.+)", r"la caractéristique \1 n'a pas de valeur : \2"),
)
