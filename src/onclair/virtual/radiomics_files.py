"""A virtual patient's files: images and outlines as NIfTI or DICOM, and beside them the truth, always as NIfTI."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from onclair.core.canonical import sha256_of
from onclair.core.values import Image, Mask
from onclair.io.nifti import write_image, write_mask
from onclair.virtual.radiomics_knobs import VirtualRadiomics
from onclair.virtual.radiomics_patient import VirtualPatient, patient_of

#: Every so many patients one is scanned and outlined twice.
RETEST_EVERY = 10
#: Weight of every virtual patient; the activity that DICOM stores follows from it, the SUV does not.
WEIGHT_KG = 75.0
#: What is kept of the truth of each patient, by name; ``PATIENT`` stands for the pseudonym, ``KIND`` for ``pet`` or ``ct``.
TRUTH_FILES = {
    "noise_free_image": "truth/PATIENT_noise_free.nii.gz",
    "true_values": "truth/PATIENT_activity.nii.gz",
    "true_mask": "truth/PATIENT_mask.nii.gz",
    "retest_image": "truth/PATIENT_retest_KIND.nii.gz",
    "retest_mask": "truth/PATIENT_retest_mask.nii.gz",
}


def write_patient(settings: VirtualRadiomics, out: Path, index: int) -> dict[str, Any]:
    """Make one patient, write the files under `out`, and return the patient's row of ``truth.csv``.

    Parameters
    ----------
    settings : VirtualRadiomics
    out : Path
        The cohort's folder; ``images`` and ``truth`` are made in it.
    index : int
        The patient, from 0.

    Returns
    -------
    dict
        ``patient``, ``centre``, what `draw_knobs` gives, and ``uptake_cv``, the coefficient of variation of the true uptake.
    """
    patient = patient_of(settings, index)
    image, outline = patient.scanned()
    if settings.form == "dicom":
        _write_dicom(out / "images" / patient.name, patient, (image, outline), settings)
    else:
        for kind, what, words in ((settings.modality, image, image.modality), ("mask", outline, "outline")):
            _write(out / f"images/{patient.name}_{kind}.nii.gz", what, words)
    _write_truth(out, patient, settings, retest=index % RETEST_EVERY == 0)
    return {"patient": patient.name, "centre": patient.scanner.name, **patient.knobs, "uptake_cv": patient.true_cv}


def rows_of(settings: VirtualRadiomics, patient: str, scanner: Any) -> list[dict[str, Any]]:
    """Return a patient's rows of ``acquisitions.csv``: image and outline, with what a header tells of the scanner.

    Parameters
    ----------
    settings : VirtualRadiomics
    patient : str
    scanner : Scanner or CtScanner

    Examples
    --------
    >>> from onclair.virtual.scanner import pet_scanners
    >>> [row["path"] for row in rows_of(VirtualRadiomics(form="dicom"), "VP001", pet_scanners(1)[0])]
    ['images/VP001/pet/0001.dcm', 'images/VP001/rtstruct.dcm']
    """
    about = {
        "manufacturer": "VIRTUAL (Onclair)",
        "model": model_of(scanner),
        "kernel": scanner.kernel,
        "slice_thickness_mm": scanner.slice_thickness_mm,
    }
    kind, shared = settings.modality, {"patient": patient, "centre": scanner.name, "visit": "t0"}
    if settings.form == "dicom":
        paths = {kind: f"images/{patient}/{kind}/0001.dcm", "mask": f"images/{patient}/rtstruct.dcm"}
    else:
        paths = {each: f"images/{patient}_{each}.nii.gz" for each in (kind, "mask")}
    return [{**shared, "kind": kind, "path": paths[kind], **about}, {**shared, "kind": "mask", "path": paths["mask"]}]


def model_of(scanner: Any) -> str:
    """Return what the scanner's header calls it.

    Examples
    --------
    >>> from onclair.virtual.scanner import pet_scanners
    >>> model_of(pet_scanners(1)[0])
    'Virtual scanner C1'
    """
    return f"Virtual scanner {scanner.name}"


def _write_dicom(folder: Path, patient: VirtualPatient, seen: tuple[Image, Mask], settings: VirtualRadiomics) -> None:
    """Write the series, an RTSTRUCT and a SEG of one patient; the outline is the same in both."""
    from onclair.io.dicom.write import Exam, Injection, write_volume
    from onclair.io.dicom.write_outlines import write_rtstruct, write_seg

    image, outline = seen
    seed = _dicom_seed(settings)
    exam = Exam(patient.name, seed, virtual=True, weight_kg=WEIGHT_KG, model=model_of(patient.scanner))
    injection = Injection() if settings.modality == "pet" else None
    described = f"law {settings.truth}"
    volume = write_volume(
        folder / settings.modality, image, exam, injection=injection, kernel=patient.scanner.kernel, description=described
    )
    write_rtstruct(folder / "rtstruct.dcm", outline, volume, seed=seed)
    write_seg(folder / "seg.dcm", outline, volume, seed=seed)


def _dicom_seed(settings: VirtualRadiomics) -> str:
    """Return what enters every UID: whatever decides the images, so that two cohorts never share one."""
    own = {name: value for name, value in settings.as_record().items() if name not in ("patients", "form", "card_patients")}
    return sha256_of({"study": "radiomics", **own})


def _write_truth(out: Path, patient: VirtualPatient, settings: VirtualRadiomics, *, retest: bool) -> None:
    def path(what: str) -> Path:
        return out / TRUTH_FILES[what].replace("PATIENT", patient.name).replace("KIND", settings.modality)

    seen = "PET" if settings.modality == "pet" else "CT"
    _write(path("noise_free_image"), patient.exposure.image(None), f"{seen} without noise")
    _write(path("true_values"), patient.truth, "true activity" if seen == "PET" else "true attenuation")
    _write(path("true_mask"), patient.true_mask, "true outline")
    if retest:
        image, outline = patient.retested()
        _write(path("retest_image"), image, f"{seen}, second acquisition")
        _write(path("retest_mask"), outline, "outline, second reading")


def _write(path: Path, what: Image | Mask, description: str) -> None:
    words = f"virtual: {description}"
    if isinstance(what, Image):
        write_image(path, what, description=words)
    else:
        write_mask(path, what, description=words)


def truth_files(settings: VirtualRadiomics) -> Mapping[str, str]:
    """Return where ``truth/`` keeps what, as patterns in which ``PATIENT`` stands for the pseudonym.

    Examples
    --------
    >>> truth_files(VirtualRadiomics())["retest_image"]
    'truth/PATIENT_retest_pet.nii.gz'
    """
    return {name: path.replace("KIND", settings.modality) for name, path in TRUTH_FILES.items()}
