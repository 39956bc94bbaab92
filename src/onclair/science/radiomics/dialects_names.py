"""PyRadiomics' names of features: the IBSI's tag for each, and how its definition departs from it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

#: Published name to tag, class by class; None where the IBSI has no such feature.
TAGS: Mapping[str, Mapping[str, str | None]] = MappingProxyType(
    {
        "firstorder": {
            "Energy": "stat_energy", "TotalEnergy": None, "Entropy": "ih_entropy", "Minimum": "stat_min", "10Percentile": "stat_p10",
            "90Percentile": "stat_p90", "Maximum": "stat_max", "Mean": "stat_mean", "Median": "stat_median",
            "InterquartileRange": "stat_iqr", "Range": "stat_range", "MeanAbsoluteDeviation": "stat_mad",
            "RobustMeanAbsoluteDeviation": "stat_rmad", "RootMeanSquared": "stat_rms", "StandardDeviation": None,
            "Skewness": "stat_skew", "Kurtosis": "stat_kurt", "Variance": "stat_var", "Uniformity": "ih_uniformity",
        },
        "shape": {
            "MeshVolume": "morph_volume", "VoxelVolume": "morph_vol_approx", "SurfaceArea": "morph_area_mesh",
            "SurfaceVolumeRatio": "morph_av", "Sphericity": "morph_sphericity", "Compactness1": "morph_comp_1",
            "Compactness2": "morph_comp_2", "SphericalDisproportion": "morph_sph_dispr", "Maximum3DDiameter": "morph_diam",
            "Maximum2DDiameterSlice": None, "Maximum2DDiameterColumn": None, "Maximum2DDiameterRow": None,
            "MajorAxisLength": "morph_pca_maj_axis", "MinorAxisLength": "morph_pca_min_axis", "LeastAxisLength": "morph_pca_least_axis",
            "Elongation": "morph_pca_elongation", "Flatness": "morph_pca_flatness",
        },
        "glcm": {
            name: None if short is None else f"cm_{short}_3D_avg"
            for name, short in {
                "Autocorrelation": "auto_corr", "JointAverage": "joint_avg", "ClusterProminence": "clust_prom",
                "ClusterShade": "clust_shade", "ClusterTendency": "clust_tend", "Contrast": "contrast", "Correlation": "corr",
                "DifferenceAverage": "diff_avg", "DifferenceEntropy": "diff_entr", "DifferenceVariance": "diff_var", "Id": "inv_diff",
                "Idm": "inv_diff_mom", "Idmn": "inv_diff_mom_norm", "Idn": "inv_diff_norm", "Imc1": "info_corr1", "Imc2": "info_corr2",
                "InverseVariance": "inv_var", "JointEnergy": "energy", "JointEntropy": "joint_entr", "MCC": None,
                "MaximumProbability": "joint_max", "SumAverage": "sum_avg", "SumEntropy": "sum_entr", "SumSquares": "joint_var",
            }.items()
        },
        "glrlm": {
            name: f"rlm_{short}_3D_avg"
            for name, short in {
                "ShortRunEmphasis": "sre", "LongRunEmphasis": "lre", "GrayLevelNonUniformity": "glnu",
                "GrayLevelNonUniformityNormalized": "glnu_norm", "RunLengthNonUniformity": "rlnu",
                "RunLengthNonUniformityNormalized": "rlnu_norm", "RunPercentage": "r_perc", "GrayLevelVariance": "gl_var",
                "RunVariance": "rl_var", "RunEntropy": "rl_entr", "LowGrayLevelRunEmphasis": "lgre", "HighGrayLevelRunEmphasis": "hgre",
                "ShortRunLowGrayLevelEmphasis": "srlge", "ShortRunHighGrayLevelEmphasis": "srhge",
                "LongRunLowGrayLevelEmphasis": "lrlge", "LongRunHighGrayLevelEmphasis": "lrhge",
            }.items()
        },
        "glszm": {
            name: f"szm_{short}_3D"
            for name, short in {
                "SmallAreaEmphasis": "sze", "LargeAreaEmphasis": "lze", "GrayLevelNonUniformity": "glnu",
                "GrayLevelNonUniformityNormalized": "glnu_norm", "SizeZoneNonUniformity": "zsnu",
                "SizeZoneNonUniformityNormalized": "zsnu_norm", "ZonePercentage": "z_perc", "GrayLevelVariance": "gl_var",
                "ZoneVariance": "zs_var", "ZoneEntropy": "zs_entr", "LowGrayLevelZoneEmphasis": "lgze", "HighGrayLevelZoneEmphasis": "hgze",
                "SmallAreaLowGrayLevelEmphasis": "szlge", "SmallAreaHighGrayLevelEmphasis": "szhge",
                "LargeAreaLowGrayLevelEmphasis": "lzlge", "LargeAreaHighGrayLevelEmphasis": "lzhge",
            }.items()
        },
        "ngtdm": {name: f"ngt_{name.lower()}_3D" for name in ("Busyness", "Coarseness", "Complexity", "Contrast", "Strength")},
        "gldm": {
            name: f"ngl_{short}_3D"
            for name, short in {
                "SmallDependenceEmphasis": "lde", "LargeDependenceEmphasis": "hde", "GrayLevelNonUniformity": "glnu",
                "DependenceNonUniformity": "dcnu", "DependenceNonUniformityNormalized": "dcnu_norm", "GrayLevelVariance": "gl_var",
                "DependenceVariance": "dc_var", "DependenceEntropy": "dc_entr", "LowGrayLevelEmphasis": "lgce",
                "HighGrayLevelEmphasis": "hgce", "SmallDependenceLowGrayLevelEmphasis": "ldlge",
                "SmallDependenceHighGrayLevelEmphasis": "ldhge", "LargeDependenceLowGrayLevelEmphasis": "hdlge",
                "LargeDependenceHighGrayLevelEmphasis": "hdhge",
            }.items()
        },
    }
)  # fmt: skip
#: Names that PyRadiomics once had for the same number.
FORMER: Mapping[str, str] = MappingProxyType(
    {
        "glcm_Homogeneity1": "glcm_Id", "glcm_Homogeneity2": "glcm_Idm", "glcm_Dissimilarity": "glcm_DifferenceAverage",
        "glcm_SumVariance": "glcm_ClusterTendency", "shape_Volume": "shape_MeshVolume",
    }
)  # fmt: skip
_MESH = "the surface is PyRadiomics' own, which can have holes"
_ALONE = "voxels without a neighbour count as well"
_LINES = "directions in which no two voxels lie on one line are left out"
_AXES = "the covariance of positions has divisor n, not n - 1"
#: Where a feature and its tag are not one definition: how it departs from the IBSI's.
DEPARTURES: Mapping[str, str] = MappingProxyType(
    {
        **{f"shape_{name}": _MESH for name in ("MeshVolume", "SurfaceArea", "SurfaceVolumeRatio", "Sphericity", "Compactness1",
                                               "Compactness2", "SphericalDisproportion")},
        **{f"shape_{name}AxisLength": _AXES for name in ("Major", "Minor", "Least")},
        **{f"glrlm_{name}": _LINES for name in TAGS["glrlm"]},
        **{f"ngtdm_{name}": _ALONE for name in TAGS["ngtdm"]},
        "glcm_Correlation": "a direction in which all pairs are of one level counts as 1",
        "glcm_Imc1": "a direction in which all pairs are of one level counts as 0",
        "firstorder_Kurtosis": "it is not excess: 3 for a normal distribution",
        "firstorder_Entropy": "bins start at a multiple of the width",
        "firstorder_Uniformity": "bins start at a multiple of the width",
    }
)  # fmt: skip
CLASSES = tuple(TAGS)
