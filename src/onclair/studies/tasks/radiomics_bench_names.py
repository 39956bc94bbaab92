"""What the peers call the features: their names to the tags of the IBSI's reference tables."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from onclair.science.radiomics.dialects_names import TAGS
from onclair.science.radiomics.extract import Extraction, feature_tags

#: The IBSI's permanent identifiers (manual, arXiv:1612.07003, section 3), in the order of this project's tags.
_IDENTIFIERS = {
    "morphology": "RNU0 YEKZ C0JK 2PR5 SKGS BQWJ KRCK QCFX 25C7 KLMA L0JK TDIC P9VJ 7J51 Q3CK N17B PBX1 R59B 6BDE RDD2 R3ER 7T7F 99N0",
    "enclosing": "ZH1A IQYR SWZ1 BRI8",
    "autocorrelation": "N365 NPT7",
    "local_peak": "VJGA 0F91",
    "statistics": "Q4LE ECT3 KE2A IPH6 Y12H 1GSF QG58 8DWT 84IY SALO 2OJQ 4FUA 1128 N72L 7TET 9S40 N8CA 5ZWQ",
    "histogram": ("X6K6 CH89 88K1 C3I7 WIFQ 1PR8 1PR GPMT 3NCY AMMC WR0O 5Z3W D2ZX WRZB 4RNL CWYJ SLWD TLU2 BJ5W 12CE 8E6O VQB3 RHQZ"),
    "glcm": (
        "GYBY 60VM UR99 TU9B TF7R D3YU NTRS ZGXS OEEB P6QZ 8ZQL ACUI 8S9J IB1Z NDRX WF0Z 1QCO E8JP NI2N QWB0 DG8W 7NFM AE86 R8DG JN9H"
    ),
    "glrlm": "22OV W4KF V3SW G3QZ HTZT GD3A IVPO 3KUM R5YN OVBL W92Y IC23 9ZK5 8CE5 SXLW HJ9O",
    "glszm": "P001 48P8 XMSY 5GN9 5RAI HW1V YH51 J17V JNSA Y1RO 4JP3 VB3A P30P BYLV 3NSA GU8N",
    "gldzm": "0GBI MB4I S1RA K26C RUVG DKNJ A7WM KLTH VFT7 7HP3 V294 IATH VIWW QK93 7WT1 GBDU",
    "ngtdm": "QCDE 65HE NQ30 HDEZ 1X9X",
    "ngldm": "SODN IMOQ TL9H OAE7 EQ3F JA6D NBZI 9QMG FP8K 5SPA Z87G OKJI 6XV8 1PFV DNX2 FCBV CAS9",
}
BY_IDENTIFIER: Mapping[str, str] = MappingProxyType(
    {
        identifier: tag
        for family, identifiers in _IDENTIFIERS.items()
        for identifier, tag in zip(identifiers.split(), feature_tags(Extraction(families=(family,))), strict=True)
    }
)
#: PyRadiomics' kurtosis is not excess: another number under the name.
_ANOTHER = frozenset({"firstorder_Kurtosis"})
#: What flash-radiomics adds to PyRadiomics' names; its kurtosis is excess.
_ADDED: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "firstorder": {
            "Kurtosis": "stat_kurt", "MedianAbsoluteDeviation": "stat_medad", "CoefficientOfVariation": "stat_cov",
            "QuartileCoefficientOfDispersion": "stat_qcod",
        },
        "shape": {
            "Asphericity": "morph_asphericity", "IntegratedIntensity": "morph_integ_int", "CentreOfMassShift": "morph_com",
            "VolumeDensityAEE": "morph_vol_dens_aee", "AreaDensityAEE": "morph_area_dens_aee",
            "VolumeDensityConvexHull": "morph_vol_dens_conv_hull", "AreaDensityConvexHull": "morph_area_dens_conv_hull",
            "VolumeDensityAABB": "morph_vol_dens_aabb", "AreaDensityAABB": "morph_area_dens_aabb",
        },
        "ih": {
            name: f"ih_{short}"
            for name, short in {
                "Mean": "mean", "Variance": "var", "Skewness": "skew", "Kurtosis": "kurt", "Median": "median", "Minimum": "min",
                "10Percentile": "p10", "90Percentile": "p90", "Maximum": "max", "Mode": "mode", "InterquartileRange": "iqr",
                "Range": "range", "MeanAbsoluteDeviation": "mad", "RobustMeanAbsoluteDeviation": "rmad",
                "MedianAbsoluteDeviation": "medad", "CoefficientOfVariation": "cov", "QuartileCoefficientOfDispersion": "qcod",
                "Entropy": "entropy", "Uniformity": "uniformity", "MaximumHistogramGradient": "max_grad",
                "MaximumHistogramGradientIntensity": "max_grad_g", "MinimumHistogramGradient": "min_grad",
                "MinimumHistogramGradientIntensity": "min_grad_g",
            }.items()
        },
        "glcm": {"Dissimilarity": "cm_dissimilarity_3D_avg", "SumVariance": "cm_sum_var_3D_avg"},
        "gldzm": {
            name: f"dzm_{short}_3D"
            for name, short in {
                "SmallDistanceEmphasis": "sde", "LargeDistanceEmphasis": "lde", "LowGrayLevelZoneEmphasis": "lgze",
                "HighGrayLevelZoneEmphasis": "hgze", "SmallDistanceLowGrayLevelEmphasis": "sdlge",
                "SmallDistanceHighGrayLevelEmphasis": "sdhge", "LargeDistanceLowGrayLevelEmphasis": "ldlge",
                "LargeDistanceHighGrayLevelEmphasis": "ldhge", "GrayLevelNonUniformity": "glnu",
                "GrayLevelNonUniformityNormalized": "glnu_norm", "ZoneDistanceNonUniformity": "zdnu",
                "ZoneDistanceNonUniformityNormalized": "zdnu_norm", "ZonePercentage": "z_perc", "GrayLevelVariance": "gl_var",
                "ZoneDistanceVariance": "zd_var", "ZoneDistanceEntropy": "zd_entr",
            }.items()
        },
        "gldm": {
            "DependenceCountPercentage": "ngl_dc_perc_3D", "DependenceCountEnergy": "ngl_dc_energy_3D",
            "GrayLevelNonUniformityNormalized": "ngl_glnu_norm_3D",
        },
    }
)  # fmt: skip
#: What MIRP puts into a tag: distance, coarseness, how it was put together, and how it was discretised.
_MIRP_WAY = {"3d_v_mrg": "3D_comb", "3d_avg": "3D_avg", "3d": "3D"}
_MIRP = re.compile(r"(?P<short>\w+?)(_d1)?(_a0\.0)?(_(?P<way>3d_v_mrg|3d_avg|3d))?(_fb[ns]_\S+)?")


def pyradiomics_tag(name: str) -> str | None:
    """Return the tag of a PyRadiomics feature of the original image, where both mean one definition; else None.

    Examples
    --------
    >>> pyradiomics_tag("original_glcm_JointEnergy"), pyradiomics_tag("original_firstorder_Kurtosis")
    ('cm_energy_3D_avg', None)
    """
    kind, _, rest = name.partition("_")
    family, _, feature = rest.partition("_")
    return TAGS.get(family, {}).get(feature) if kind == "original" and rest not in _ANOTHER else None


def flash_tag(name: str) -> str | None:
    """Return the tag of a flash-radiomics feature of the original image, or None.

    Examples
    --------
    >>> flash_tag("original_gldzm_SmallDistanceEmphasis"), flash_tag("original_gldzm_ZoneDistanceEntropy")
    ('dzm_sde_3D', 'dzm_zd_entr_3D')
    """
    kind, _, rest = name.partition("_")
    family, _, feature = rest.partition("_")
    return (_ADDED.get(family, {}).get(feature) or TAGS.get(family, {}).get(feature)) if kind == "original" else None


def mirp_tag(name: str) -> str | None:
    """Return the tag of a MIRP feature of the unfiltered image, or None.

    Examples
    --------
    >>> mirp_tag("cm_joint_max_d1_3d_v_mrg_fbn_n32"), mirp_tag("ngl_dc_energy_d1_a0.0_3d_fbs_w0.5"), mirp_tag("stat_mean")
    ('cm_joint_max_3D_comb', 'ngl_dc_energy_3D', 'stat_mean')
    """
    found = _MIRP.fullmatch(name)
    if found is None:
        return None
    way = found["way"]
    return found["short"] if way is None else f"{found['short']}_{_MIRP_WAY[way]}"


def pictologics_tag(name: str) -> str | None:
    """Return the tag of a Pictologics feature, which ends with the IBSI's identifier, or None.

    Examples
    --------
    >>> pictologics_tag("original__joint_maximum_GYBY"), pictologics_tag("original__invented")
    ('cm_joint_max_3D_comb', None)
    """
    return BY_IDENTIFIER.get(name.rpartition("_")[2])


TAG_OF: Mapping[str, Callable[[str], str | None]] = MappingProxyType(
    {"pyradiomics": pyradiomics_tag, "flash-radiomics": flash_tag, "mirp": mirp_tag, "pictologics": pictologics_tag}
)
