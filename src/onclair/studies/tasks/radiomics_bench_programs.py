"""What runs in each tool's process: read, extract, give back the features by the tool's own names; the loop around it is one for all.

A program is called with the number of passes, the case's settings as JSON, and its files in pairs: image, outline. The peers' programs run
in environments that know nothing of Onclair.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from onclair.run.benches.environments import PeerEnvironment

#: Seconds of warm calls after which no further one is made; one is always made.
ENOUGH_S = 15
_AROUND = """
import json, math, resource, sys
how, files = json.loads(sys.argv[2]), sys.argv[3:]
families, filtered = how["families"], how["filtered"]
def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
start = cpu()
{code}
imported, times = cpu(), []
for _ in range(int(sys.argv[1])):
    before = cpu()
    found = [table(*pair) for pair in zip(files[::2], files[1::2])]
    times.append(cpu() - before)
    if len(times) > 1 and sum(times) > {enough}:
        break
values = [{{name: float(value) for name, value in each.items()}} for each in found]
cost = dict(import_cpu_s=imported - start, first_cpu_s=times[0], warm_cpu_s=min(times[1:], default=None))
finite = [{{name: value for name, value in each.items() if math.isfinite(value)}} for each in values]
print(json.dumps(dict(version=version, outputs=sum(map(len, values)), values=finite, **cost)))
"""

_ONCLAIR = """
from onclair import __version__ as version
from onclair.io.nifti import read_image, read_mask
from onclair.science.radiomics.extract import Extraction, extract
levels = {name: how[name] for name in ("discretisation", "bins", "width", "minimum")}
extraction = Extraction(**levels, families=tuple(families), aggregations=tuple(how["aggregations"]))
describe = extract
if filtered:
    from onclair.science.radiomics.filtered import FilteredExtraction, extract_filtered as describe, responses_of
    from onclair.science.radiomics.filters.laplacian_of_gaussian import LaplacianOfGaussian
    from onclair.science.radiomics.filters.response import Setup
    from onclair.science.radiomics.filters.separable_wavelets import SeparableWavelet
    filters = [(band, Setup(SeparableWavelet("coif1", band))) for band in (a + b + c for a in "LH" for b in "LH" for c in "LH")]
    filters += [(f"log-{sigma}", Setup(LaplacianOfGaussian(sigma))) for sigma in (2.0, 3.0, 4.0)]
    extraction = FilteredExtraction(extraction, tuple(filters), responses_of(extraction, {}))
def table(image_path, mask_path):
    image = read_image(image_path, "a.u.")
    return describe(image.array, read_mask(mask_path, labels=["outline"]).on(image).region(), image.spacing_mm, extraction).values
"""

_PYRADIOMICS = """
import logging
import radiomics
from radiomics.featureextractor import RadiomicsFeatureExtractor
logging.disable(logging.CRITICAL)
version = radiomics.__version__
own = dict(statistics="firstorder", morphology="shape", ngldm="gldm")
maker = RadiomicsFeatureExtractor(**({"binWidth": how["width"]} if how["width"] else {"binCount": how["bins"]}))
maker.disableAllFeatures()
for family in families:
    if own.get(family, family) in maker.featureClassNames:
        maker.enableFeatureClassByName(own.get(family, family))
if filtered:
    maker.enableImageTypeByName("Wavelet")
    maker.enableImageTypeByName("LoG", customArgs={"sigma": [2.0, 3.0, 4.0]})
def table(image_path, mask_path):
    return {name: value for name, value in maker.execute(image_path, mask_path).items() if not name.startswith("diagnostics")}
"""

_FLASH = """
import logging
import flash_radiomics
logging.disable(logging.CRITICAL)
version = flash_radiomics.__version__
own = dict(statistics="firstorder", morphology="shape", histogram="ih", volume_histogram="ivh", ngldm="gldm")
levels = {"binWidth": how["width"]} if how["width"] else {"binCount": how["bins"]}
maker = flash_radiomics.RadiomicsFeatureExtractor(backend="cpu", num_threads=1, distances=[1], additionalInfo=False, **levels)
maker.disableAllFeatures()
for family in families:
    if own.get(family, family) in flash_radiomics.getFeatureClasses():
        maker.enableFeatureClassByName(own.get(family, family))
if filtered:
    maker.enableImageTypeByName("Wavelet")
    maker.enableImageTypeByName("LoG", customArgs={"sigma": [2.0, 3.0, 4.0]})
def table(image_path, mask_path):
    found = maker.extract_from_preprocessed(maker.preprocess_case(image_path, mask_path))
    return {name: value for name, value in found.items() if not name.startswith("diagnostics")}
"""

_MIRP = """
import importlib.metadata, logging
from mirp import extract_features
logging.disable(logging.CRITICAL)
version = importlib.metadata.version("mirp")
own = dict(morphology="morphological", histogram="intensity_histogram", volume_histogram="intensity_volume_histogram",
           local_peak="local_intensity", statistics="statistical")
wanted = [own.get(family, family) for family in families if family not in ("enclosing", "autocorrelation")]
method = "fixed_bin_size" if how["width"] else "fixed_bin_number"
volume = {f"{matrix}_spatial_method": "3d" for matrix in ("glszm", "gldzm", "ngtdm", "ngldm")}
settings = dict(image_modality=how["modality"], base_feature_families=wanted, base_discretisation_method=method,
                base_discretisation_bin_width=how["width"], base_discretisation_n_bins=None if how["width"] else how["bins"],
                glcm_spatial_method="3d_volume_merge", glrlm_spatial_method="3d_volume_merge", **volume)
if filtered:
    settings |= dict(filter_kernels=["separable_wavelet", "laplacian_of_gaussian"], separable_wavelet_families="coif1",
                     separable_wavelet_set=[a + b + c for a in "lh" for b in "lh" for c in "lh"],
                     separable_wavelet_rotation_invariance=False, laplacian_of_gaussian_sigma=[2.0, 3.0, 4.0],
                     response_map_feature_families=[family for family in wanted if family != "morphological"],
                     response_map_discretisation_method=method, response_map_discretisation_n_bins=how["bins"])
def table(image_path, mask_path):
    row = extract_features(image=image_path, mask=mask_path, **settings)[0].iloc[0]
    return {name: row[name] for name in row.index if not name.startswith(("image_", "sample_"))}
"""

_PICTOLOGICS = """
import warnings
import pictologics
warnings.simplefilter("ignore")
version = pictologics.__version__
own = dict(statistics="intensity", volume_histogram="ivh")
texture = [f"texture_{family}" for family in families if family.startswith(("gl", "ng"))]
plain = [own.get(family, family) for family in families if family in ("morphology", "statistics", "histogram", "volume_histogram")]
beyond = dict(include_spatial_intensity="autocorrelation" in families, include_local_intensity="local_peak" in families)
levels = dict(method="FBS", bin_width=how["width"], min_val=how["minimum"]) if how["width"] else dict(method="FBN", n_bins=how["bins"])
pipeline = pictologics.RadiomicsPipeline(load_standard=False)
def add(name, first, wanted):
    steps = [*first, dict(step="discretise", params=levels), dict(step="extract_features", params=dict(families=wanted, **beyond))]
    pipeline.add_config(name, steps)
add("original", [], plain + texture)
if filtered:
    kinds = [dict(type="wavelet", wavelet="coif1", decomposition=a + b + c, boundary="mirror") for a in "LH" for b in "LH" for c in "LH"]
    kinds += [dict(type="log", sigma_mm=sigma, boundary="mirror") for sigma in (2.0, 3.0, 4.0)]
    for number, kind in enumerate(kinds):
        add(f"filter{number}", [dict(step="filter", params=kind)], [each for each in plain if each != "morphology"] + texture)
def table(image_path, mask_path):
    found = pipeline.run(image_path, mask_path)
    return {f"{config}__{name}": value for config, values in found.items() for name, value in values.items()}
"""

CODE: Mapping[str, str] = MappingProxyType(
    {"onclair": _ONCLAIR, "pyradiomics": _PYRADIOMICS, "flash-radiomics": _FLASH, "mirp": _MIRP, "pictologics": _PICTOLOGICS}
)
#: The tools of the field that are measured beside Onclair, and what each needs to be installed.
ENVIRONMENTS: Mapping[str, PeerEnvironment] = MappingProxyType(
    {
        each.name: each
        for each in (
            PeerEnvironment("pyradiomics", "pyradiomics==3.0.1", built=True),
            PeerEnvironment("mirp", "mirp==2.7.0"),
            PeerEnvironment("flash-radiomics", "flash-radiomics==1.0.0"),
            PeerEnvironment("pictologics", "pictologics==0.9.0", python=(3, 12)),
        )
    }
)
PEERS = tuple(ENVIRONMENTS)
#: Families that a peer has beyond the matched ones; a peer that is not here has none, and is measured on those alone.
BEYOND: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "mirp": frozenset({"autocorrelation", "local_peak", "volume_histogram"}),
        "flash-radiomics": frozenset({"volume_histogram"}),
        "pictologics": frozenset({"autocorrelation", "enclosing", "local_peak", "volume_histogram"}),
    }
)


def program(tool: str) -> str:
    """Return the whole program of a tool.

    Examples
    --------
    >>> "import radiomics" in program("pyradiomics"), "onclair" in program("mirp")
    (True, False)
    """
    return _AROUND.format(code=CODE[tool], enough=ENOUGH_S)
