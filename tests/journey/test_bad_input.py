"""Bad input: each gets one sentence that names the item, what was found and what to do; nothing is sealed, no traceback."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
import pytest

from commandline import Said, onclair
from onclair.core.finding import finding_schema

WORDS = ("--models", "logistic", "--repeats", "1", "--shuffles", "1", "--permutations", "5", "--workers", "1")
#: What no sentence to a person may hold: types, names of our own code, Python's way of writing things.
FOREIGN = ("Traceback", "None", "Error:", "<class", "numpy", "float64", "pydantic", "errno", "Errno")
Damage = Callable[[Path], object]


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixteen virtual patients of one centre."""
    place = tmp_path_factory.mktemp("bad-input") / "cohort"
    made = onclair("virtual", "radiomics", "--patients", "16", "--centres", "1", "--seed", "5", "--field-mm", "96", "--out", place)
    assert made.code == 0, made.err
    return place


@pytest.fixture
def copied(cohort: Path, tmp_path: Path) -> Path:
    """Return a copy of the cohort that a test may damage."""
    return Path(shutil.copytree(cohort, tmp_path / "cohort"))


def rewrite(path: Path, old: str, new: str) -> None:
    """Replace the first `old` in a text file, which must be there."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def add_line(path: Path, line: str) -> None:
    """Add a line to a text file."""
    path.write_text(path.read_text() + line + "\n")


def volume(path: Path, change: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]) -> None:
    """Write a volume back, its voxels and affine changed."""
    image = nibabel.load(path)
    array, affine = change(np.asanyarray(image.dataobj).astype(np.float32), image.affine.copy())
    nibabel.save(nibabel.Nifti1Image(array, affine), path)


def shift(path: Path) -> None:
    """Move a volume by 7 mm."""
    volume(path, lambda array, affine: (array, affine + np.eye(4)[:, [0]] * np.array([[0, 0, 0, 7.0]])))


def one_voxel(path: Path) -> None:
    """Leave one voxel of an outline."""

    def first_of(array: np.ndarray, affine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        left = np.zeros_like(array)
        left[tuple(np.argwhere(array)[len(np.argwhere(array)) // 2])] = 1
        return left, affine

    volume(path, first_of)


def not_a_number(path: Path) -> None:
    """Put a NaN at the voxel (2, 3, 4)."""

    def put(array: np.ndarray, affine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        array[2, 3, 4] = np.nan
        return array, affine

    volume(path, put)


def cut_short(path: Path, *, packed: bool) -> None:
    """Lose the end of a NIfTI: of the packed file, or of the voxels within an intact gzip file."""
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2] if packed else gzip.compress(gzip.decompress(data)[:-100]))


def says(said: Said, *words: str, code: int = 2) -> None:
    """Assert that a command was refused in one sentence a person can read, with these words in it."""
    assert said.code == code, said.out + said.err
    told = [line for line in said.err.splitlines() if not line.startswith(("describe:", "learn:"))]
    assert len(told) == 1, said.err
    assert told[0].startswith("onclair: ")
    assert told[0].endswith((".", "?"))
    assert not [word for word in FOREIGN if word in told[0]], told[0]
    assert not [word for word in words if word not in told[0]], told[0]


#: What is wrong with each patient of the worn cohort: whose, and the words that must be in the sentence.
WORN = {
    "VP001": ("The pet of VP001 is missing", "images/VP001_pet.nii.gz", "correct acquisitions.csv or add the file"),
    "VP002": ("The PET of VP002", "is cut short or damaged", "copy or export it again"),
    "VP003": ("VP003", "another grid", "shifted by 7.00 mm", "resample it"),
    "VP004": ("VP004", "The outline is empty", "check that it was drawn on this image"),
    "VP005": ("The PET of VP005 holds 1 voxel that is NaN", "(2, 3, 4)", "mend it at the source"),
    "VP006": ("The outline of VP006 is cut short", "bytes of voxels where its header promises", "copy it again"),
    "VP007": ("VP007 has acquisitions but no row in outcomes.csv", "add the outcome"),
    "VP099": ("VP099 has an outcome but no row in acquisitions.csv", "add the files"),
}


@dataclass(frozen=True)
class Worn:
    """A cohort in which much is wrong, what the check says of it, and what a run without the bad patients says."""

    place: Path
    check: Said
    run: Said
    out: Path


@pytest.fixture(scope="module")
def worn(cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> Worn:
    place = Path(shutil.copytree(cohort, tmp_path_factory.mktemp("worn") / "cohort"))
    images, outcomes = place / "images", place / "outcomes.csv"
    (images / "VP001_pet.nii.gz").unlink()
    cut_short(images / "VP002_pet.nii.gz", packed=True)
    shift(images / "VP003_mask.nii.gz")
    volume(images / "VP004_mask.nii.gz", lambda array, affine: (array * 0, affine))
    not_a_number(images / "VP005_pet.nii.gz")
    cut_short(images / "VP006_mask.nii.gz", packed=False)
    lines = [line for line in outcomes.read_text().splitlines()[1:] if not line.startswith("VP007")]
    events = "".join(f"{line.split(',')[0]};{number % 2};61,5\r" for number, line in enumerate(lines))
    outcomes.write_text(f"patient;event;age\r{events}VP099;1;61,5\r", newline="")
    table = (place / "acquisitions.csv").read_text()
    (place / "acquisitions.csv").write_bytes(table.replace(",C1,", ",Orléans,").encode("latin-1"))
    one_voxel(images / "VP011_mask.nii.gz")
    volume(images / "VP012_pet.nii.gz", lambda array, affine: (array * 0 + 2, affine))
    out = place.with_name("run")
    check = onclair("cohort", "check", place, "--study", "radiomics", "--json")
    return Worn(place, check, onclair("run", "radiomics", "--data", place, "--out", out, *WORDS, "--skip-bad", "--json"), out)


@pytest.mark.parametrize("patient", WORN)
def test_the_check_says_what_is_wrong_with_each_patient_and_what_to_do(worn: Worn, patient: str) -> None:
    assert worn.check.code == 1, worn.check.err
    told = [problem["message"] for problem in worn.check.json["problems"] if problem["patient"] == patient]
    assert len(told) == 1
    assert not [words for words in WORN[patient] if words not in told[0]], told[0]
    assert not [word for word in FOREIGN if word in told[0]], told[0]


def test_the_check_names_nobody_else(worn: Worn) -> None:
    assert [problem["patient"] for problem in worn.check.json["problems"]] == list(WORN)


@pytest.mark.parametrize("answer", ["check", "run"])
def test_dialects_are_read_and_said(worn: Worn, answer: str) -> None:
    told = [(w["code"], w["text"].split()[0]) for w in getattr(worn, answer).json["warnings"]]
    expected = {("delimiter", "outcomes.csv"), ("decimal_comma", "outcomes.csv"), ("line_ends", "outcomes.csv")}
    assert {*expected, ("encoding", "acquisitions.csv")} <= set(told)


@pytest.mark.parametrize("answer", ["check", "run"])
def test_one_voxel_and_a_constant_region_are_kept_and_said_once_a_patient(worn: Worn, answer: str) -> None:
    told = [w for w in getattr(worn, answer).json["warnings"] if w["code"] == "feature_missing"]
    assert [w["text"].split(":")[0] for w in told] == ["VP011", "VP012"]
    assert "of 114 features are missing because the region is a single voxel." in told[0]["text"]
    assert "every voxel has the same value (2)" in told[1]["text"]
    assert all("median of the training patients" in w["text"] for w in told)
    assert "le contour n'a qu'un voxel" in told[0]["fr"]
    assert "tous les voxels ont la même valeur (2)" in told[1]["fr"]


def test_a_run_goes_on_without_the_bad_patients_when_told(worn: Worn) -> None:
    assert worn.run.code == 0, worn.run.err
    assert worn.run.json["patients"] == 9
    assert [left["patient"] for left in worn.run.json["left_out"]] == list(WORN)


@pytest.mark.parametrize("page", ["report.html", "report.fr.html", "report.json"])
def test_the_report_lists_who_was_left_out_and_why(worn: Worn, page: str) -> None:
    text = (worn.out / "report" / page).read_text()
    if page.endswith("json"):
        left = {entry["patient"]: entry["reason"] for entry in json.loads(text)["facts"]["left_out"]}
        assert list(left) == list(WORN)
        assert all(words[0] in left[patient] for patient, words in WORN.items())
    assert not [patient for patient, words in WORN.items() if patient not in text or words[0] not in text]


def test_missing_texture_keeps_size_and_intensity(worn: Worn) -> None:
    missing = json.loads((worn.out / "report" / "report.json").read_text())["facts"]["missing"]
    columns = {entry["column"] for entry in missing}
    assert "cm_contrast_3D_comb" in columns
    assert not {"morph_volume", "stat_mean", "stat_max"} & columns
    assert all(isinstance(entry["patients"], int) and entry["reason"] for entry in missing)


def test_without_skip_bad_the_first_bad_patient_stops_the_run(worn: Worn, tmp_path: Path) -> None:
    said = onclair("run", "radiomics", "--data", worn.place, "--out", tmp_path / "run", *WORDS)
    says(said, *WORN["VP001"], "2 more patients", "--skip-bad")
    assert not (tmp_path / "run" / "evidence.json").exists()


def test_a_file_that_only_reading_shows_to_be_bad_stops_the_run(copied: Path, tmp_path: Path) -> None:
    shift(copied / "images" / "VP003_mask.nii.gz")
    said = onclair("run", "radiomics", "--data", copied, "--out", tmp_path / "run", *WORDS)
    says(said, *WORN["VP003"], "--skip-bad")
    assert not (tmp_path / "run" / "evidence.json").exists()


def one_class(place: Path) -> None:
    """Give everybody the outcome 0."""
    table = (place / "outcomes.csv").read_text()
    (place / "outcomes.csv").write_text(table.replace(",1\n", ",0\n"))


def events(place: Path, number: int) -> None:
    """Leave so many events."""
    patients = [line.split(",")[0] for line in (place / "outcomes.csv").read_text().splitlines()[1:]]
    rows = [f"{patient},{int(place_ < number)}" for place_, patient in enumerate(patients)]
    (place / "outcomes.csv").write_text("\n".join(["patient,event", *rows, ""]))


def one_class_once_left_out(place: Path) -> None:
    """Leave one event, of a patient without PET."""
    events(place, 1)
    (place / "images" / "VP001_pet.nii.gz").unlink()


WHOLE: dict[str, tuple[Damage, tuple[str, ...]]] = {
    "two rows of outcomes": (lambda p: add_line(p / "outcomes.csv", "VP001,0"), ("VP001", "more than one row in outcomes.csv", "keep one")),
    "two centres": (
        lambda p: rewrite(p / "acquisitions.csv", "VP001,C1,t0,mask", "VP001,C2,t0,mask"),
        ("VP001", "two centres (C1, C2)", "correct acquisitions.csv"),
    ),
    "one class": (one_class, ("'event'", "one class only", "all 16 patients", "add patients with the event")),
    "one class once left out": (one_class_once_left_out, ("one class only", "all 15 patients that can be used")),
    "too few events": (
        lambda p: events(p, 2),
        ("2 of the 16 patients have the outcome 'event' = 1", "too few for 5 folds", "add patients"),
    ),
}


@pytest.mark.parametrize("damage", WHOLE)
def test_what_concerns_the_whole_cohort_stops_even_with_skip_bad(copied: Path, tmp_path: Path, damage: str) -> None:
    harm, words = WHOLE[damage]
    harm(copied)
    says(onclair("run", "radiomics", "--data", copied, "--out", tmp_path / "run", *WORDS, "--skip-bad"), *words)
    assert not (tmp_path / "run" / "evidence.json").exists()


FOLDERS: dict[str, tuple[Damage, tuple[str, ...]]] = {
    "no folder": (shutil.rmtree, ("there is no such folder", "cohort.toml")),
    "no cohort.toml": (lambda p: (p / "cohort.toml").unlink(), ("holds no cohort.toml", "onclair-cohort/1")),
    "a typo in cohort.toml": (lambda p: rewrite(p / "cohort.toml", "licence", "license"), ("'license'", "did you mean 'licence'")),
    "no TOML": (lambda p: rewrite(p / "cohort.toml", 'title = "', "title = "), ("cohort.toml", "line 2", "correct that line")),
    "another kind": (lambda p: rewrite(p / "cohort.toml", "binary", "binery"), ("'binery'", "did you mean 'binary'")),
    "another column": (lambda p: rewrite(p / "acquisitions.csv", "centre", "center"), ("lacks the column 'centre'", "'center'")),
    "bare decimal commas": (
        lambda p: (p / "outcomes.csv").write_text("patient,event,age\nVP001,1,61,5\n"),
        ("outcomes.csv", "line 2", "decimal comma"),
    ),
}


@pytest.mark.parametrize("damage", FOLDERS)
def test_a_folder_that_is_no_cohort_is_refused_in_one_sentence(copied: Path, damage: str) -> None:
    harm, words = FOLDERS[damage]
    harm(copied)
    says(onclair("cohort", "check", copied, "--json"), *words)


def test_a_byte_order_mark_is_read_and_said(copied: Path) -> None:
    for name in ("outcomes.csv", "acquisitions.csv", "cohort.toml"):
        (copied / name).write_bytes(b"\xef\xbb\xbf" + (copied / name).read_bytes())
    said = onclair("cohort", "check", copied, "--json")
    assert said.code == 0, said.err
    assert [w["code"] for w in said.json["warnings"]] == ["byte_order_mark", "byte_order_mark"]


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--folds", "1"), ("'folds' is 1", "at least 2")),
        (("--folds", "20"), ("16 patients", "--folds 20", "give 16 or fewer")),
        (("--workers", "0"), ("--workers", "0 is not in the range")),
        (("--bin-widht", "1"), ("--bin-widht", "--bin-width")),
        (("--thresholds", "20"), ("threshold 20", "0.2")),
        (("--settings", "typo.toml"), ("'foldz'", "did you mean 'folds'")),
        (("--settings", "broken.toml"), ("broken.toml", "line 1", "folds = 5")),
    ],
)
def test_settings_out_of_range_are_refused_before_anything_is_computed(
    cohort: Path, tmp_path: Path, flags: tuple[str, str], words: tuple[str, ...]
) -> None:
    (tmp_path / "typo.toml").write_text("foldz = 3\n")
    (tmp_path / "broken.toml").write_text("folds = = 3\n")
    says(onclair("run", "radiomics", "--data", cohort, "--out", "run", *flags, cwd=tmp_path), *words)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("ruun", ("'ruun'", "did you mean 'run'")),
        ("run radiomix --data c --out r", ("'radiomix'", "did you mean 'radiomics'")),
        ("verify", ("Missing argument 'RUN'", "onclair verify --help")),
        ("report . --format docx", ("'docx'", "'html'")),
        ("data get sts --out c", ("'sts'", "did you mean 'sts-pet'")),
        ("data get sts-pet --out c --mirror .", ("mirror", "lacks sts_pet/", "leave --mirror out")),
        ("data get sts-pet --out c --mirror nowhere", ("no folder nowhere", "--mirror")),
        ("virtual radiomics --patients 1 --out c", ("'patients' is 1", "at least 2")),
        ("virtual radiomics --patients 4 --out .", ("not empty", "choose another folder")),
        ("verify nowhere", ("nowhere does not exist", "onclair run")),
        ("verify .", ("holds no run", "--out")),
        ("replay .", ("holds no run", "--out")),
        ("report .", ("holds no run", "--out")),
        ("apply . --input . --out a", ("holds no run", "--out")),
    ],
)
def test_a_command_that_cannot_be_done_says_why_in_one_line(tmp_path: Path, command: str, words: tuple[str, ...]) -> None:
    (tmp_path / "notes.txt").write_text("a file")
    says(onclair(*command.split(), cwd=tmp_path), *words)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.fixture(scope="module")
def finished(cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a finished run on the whole cohort."""
    out = tmp_path_factory.mktemp("finished") / "run"
    assert onclair("run", "radiomics", "--data", cohort, "--out", out, *WORDS).code == 0
    return out


@pytest.fixture
def cases(cohort: Path, tmp_path: Path) -> Path:
    """Return two new cases, A whole and B with an outline of one voxel."""
    place = tmp_path / "cases"
    place.mkdir()
    for case, patient in (("A", "VP002"), ("B", "VP003")):
        for kind in ("pet", "mask"):
            shutil.copyfile(cohort / "images" / f"{patient}_{kind}.nii.gz", place / f"{case}_{kind}.nii.gz")
    one_voxel(place / "B_mask.nii.gz")
    return place


def test_a_case_of_one_voxel_cannot_be_told_and_says_so(finished: Path, cases: Path, tmp_path: Path) -> None:
    import jsonschema

    said = onclair("apply", finished, "--input", cases, "--out", tmp_path / "answers", "--json")
    assert said.code == 0, said.err
    finding = json.loads((tmp_path / "answers" / "B" / "finding.json").read_text())
    jsonschema.validate(finding, finding_schema())
    assert finding["answer"]["value"] == "cannot_tell"
    assert "single voxel" in finding["answer"]["reason"]
    assert finding["risk"] is None
    assert [w["text"] for w in finding["warnings"]] == ["58 of 114 features are missing because the region is a single voxel."]


def test_a_case_without_outline_is_refused_or_left_out(finished: Path, cases: Path, tmp_path: Path) -> None:
    (cases / "A_mask.nii.gz").unlink()
    says(onclair("apply", finished, "--input", cases, "--out", tmp_path / "a"), "Case A has no mask", "A_mask.nii.gz", "--skip-bad")
    said = onclair("apply", finished, "--input", cases, "--out", tmp_path / "b", "--skip-bad", "--json")
    assert said.code == 0, said.err
    assert [left["patient"] for left in said.json["left_out"]] == ["A"]
    assert [found["patient"] for found in said.json["findings"]] == ["B"]


def test_an_unfinished_run_answers_nothing_and_says_how_to_finish_it(finished: Path, cases: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(finished, tmp_path / "run"))
    (run / "evidence.json").unlink()
    says(onclair("apply", run, "--input", cases, "--out", tmp_path / "answers"), "was not finished", "onclair run")
    said = onclair("verify", run, "--json")
    assert said.code == 1
    assert [problem["file"] for problem in said.json["problems"]] == ["evidence.json"]
