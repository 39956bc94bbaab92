"""Published numbers: what PyRadiomics 3.0.1 gives, and the score of Aerts et al. (Nat Commun 2014;5:4006) made from it."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from onclair.science.radiomics.dialects import DIALECT_PRESETS, PyRadiomics, extract_published

SIGNATURE = {
    "original_firstorder_Energy": 1.74e-11,
    "original_shape_Compactness1": -16.5,
    "original_glrlm_GrayLevelNonUniformity": 4.95e-5,
    "wavelet-HLH_glrlm_GrayLevelNonUniformity": 2.81e-6,
}
NAMES = (*SIGNATURE, "original_shape_MeshVolume")
# energy, compactness 1, grey-level non-uniformity, the same in HLH, mesh volume
CT = (6963080832, 0.0299780504, 9761.47309, 21526.9293, 358212.897)
CT_1MM = (1.99558816e10, 0.0285881369, 23747.7627, 84835.0171, 359476.583)
STS_001 = (42304.0109, 0.0418478690, 421.411067, 1061.46184, 364261.512)
#: Of the volume below, in PyRadiomics 3.0.1: native voxels in bins of 10; 1.3 mm in bins of 20, intensities of 30 to 270.
SMALL = {
    "original_firstorder_Energy": (7212429, 6657253.11412),
    "original_firstorder_TotalEnergy": (21637287, 14625985.0917),
    "original_firstorder_Kurtosis": (1.78350218225, 2.15256073039),
    "original_firstorder_Entropy": (4.8187712789, 3.52454477918),
    "original_firstorder_StandardDeviation": (87.2402542055, 59.4191952742),
    "original_shape_MeshVolume": (578.125, 547.053),
    "original_shape_SurfaceArea": (1158.1866151, 928.540727438),
    "original_shape_Compactness1": (0.00827520957475, 0.01090819848),
    "original_shape_MajorAxisLength": (15.9761637182, 14.841868842),
    "original_shape_Flatness": (0.500219459153, 0.500911399946),
    "original_shape_Maximum3DDiameter": (18.5, 17.4413302245),
    "original_shape_Maximum2DDiameterSlice": (13.416407865, 12.8035151423),
    "original_shape_Maximum2DDiameterColumn": (15.2315462117, 14.0014284985),
    "original_shape_Maximum2DDiameterRow": (17.5, 16.6481230173),
    "original_glcm_ClusterShade": (144.911807164, 5.33210596705),
    "original_glcm_MCC": (0.697014471176, 0.419191631594),
    "original_glcm_Imc2": (0.991205240476, 0.794354031754),
    "original_glrlm_GrayLevelNonUniformity": (9.29390113504, 23.3742732668),
    "original_glszm_SmallAreaHighGrayLevelEmphasis": (295.315453011, 44.2181675564),
    "original_ngtdm_Busyness": (0.203000719375, 0.956805974868),
    "original_gldm_DependenceEntropy": (5.535294088, 5.27251817134),
    "wavelet-HLH_glrlm_GrayLevelNonUniformity": (10.6453652853, 27.8712687112),
    "wavelet-LHL_glszm_SmallAreaHighGrayLevelEmphasis": (422.355969066, 42.4881575162),
    "wavelet-LLH_glcm_Imc2": (0.99436414484, 0.83131141848),
    "wavelet-LLL_firstorder_10Percentile": (350.927986541, 331.256789839),
}


def _loaded(folder: Path, image: str, mask: str):
    volume = nib.load(folder / image)
    return np.asarray(volume.dataobj), np.asarray(nib.load(folder / mask).dataobj) > 0, [float(step) for step in volume.header.get_zooms()]


@pytest.fixture(scope="module")
def ct(reference_data: Path):
    return _loaded(reference_data / "radiomics" / "ibsi1", "ct_phantom_image.nii.gz", "ct_phantom_mask.nii.gz")


@pytest.fixture(scope="module")
def native(ct):
    return extract_published(*ct, DIALECT_PRESETS["pyradiomics-bw25"], NAMES).values


@pytest.fixture(scope="module")
def at_1mm(ct):
    return extract_published(*ct, DIALECT_PRESETS["pyradiomics-bw25-1mm"], NAMES).values


def _score(values: dict[str, float]) -> float:
    return sum(weight * values[name] for name, weight in SIGNATURE.items())


@pytest.mark.parametrize(("name", "value"), list(zip(NAMES, CT, strict=True)))
def test_native_values_of_the_ct_phantom_are_those_of_pyradiomics(native, name, value):
    assert native[name] == pytest.approx(value, rel=1e-3 if name.startswith("wavelet") else 1e-6)


@pytest.mark.parametrize(("name", "value"), list(zip(NAMES, CT_1MM, strict=True)))
def test_values_of_the_ct_phantom_at_1_mm_are_those_of_pyradiomics(at_1mm, name, value):
    assert at_1mm[name] == pytest.approx(value, rel=1e-5)


def test_the_score_of_aerts_on_the_ct_phantom_is_what_its_engine_gives_and_grows_sevenfold_by_resampling(native, at_1mm):
    assert _score(native) == pytest.approx(0.170203, rel=1e-4)
    assert _score(at_1mm) == pytest.approx(1.289429, rel=1e-4)


def test_values_of_a_sarcoma_pet_are_those_of_pyradiomics(reference_data):
    case = _loaded(reference_data / "radiomics" / "sts_pet", "STS_001_pet.nii.gz", "STS_001_mask.nii.gz")
    values = extract_published(*case, DIALECT_PRESETS["pyradiomics-bw0.5"], NAMES).values
    assert [values[name] for name in NAMES] == pytest.approx(STS_001, rel=1e-6)


@pytest.mark.parametrize(
    ("which", "settings"), [(0, PyRadiomics(10.0)), (1, PyRadiomics(20.0, spacing_mm=(1.3, 1.3, 1.3), range=(30.0, 270.0)))]
)
def test_an_irregular_volume_with_holes_in_its_surface_has_the_values_of_pyradiomics(which, settings):
    i, j, k = np.indices((11, 10, 9))
    array = (7 * i + 13 * j + 29 * k + i * j * k) % 101 * 3.0
    region = ((5 * i + 3 * j + 7 * k) % 11 < 7) & (i > 1) & (i < 9) & (j > 0) & (j < 9) & (k > 0) & (k < 8)
    values = extract_published(array, region, (1.0, 1.5, 2.0), settings, SMALL).values
    assert values == pytest.approx({name: pair[which] for name, pair in SMALL.items()}, rel=1e-6)
