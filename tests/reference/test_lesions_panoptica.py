"""RQ, SQ and PQ at an intersection over union of 0.5 against panoptica's maximum bipartite matching, in an environment of its own."""

from __future__ import annotations

import json
import subprocess

import numpy as np
import pytest
from scipy import ndimage

from onclair.science.volumes.components import components
from onclair.validate.lesion_matching import overlaps_of
from onclair.validate.lesion_ratios import Drawing
from onclair.validate.lesions import LesionCase, lesion_agreement

#: What panoptica is asked, in its own interpreter: a file of maps in, a line of JSON out.
ASK = """
import json, sys
import numpy as np
from panoptica import InputType, MaxBipartiteMatching, Metric, Panoptica_Evaluator
maps = np.load(sys.argv[1])
evaluator = Panoptica_Evaluator(
    expected_input=InputType.UNMATCHED_INSTANCE,
    instance_matcher=MaxBipartiteMatching(matching_metric=Metric.IOU, matching_threshold=0.5),
    instance_metrics=[Metric.IOU], global_metrics=[],
)
found = []
for truth, predicted in zip(maps["truth"], maps["predicted"]):
    result = evaluator.evaluate(predicted.astype(np.uint16), truth.astype(np.uint16), verbose=False)["ungrouped"]
    found.append([float(result.rq), float(result.sq), float(result.pq), int(result.tp), int(result.fp), int(result.fn)])
print("ANSWER " + json.dumps(found))
"""


def random_maps(count=25, shape=(24, 22, 8)):
    rng = np.random.default_rng(11)
    truth, predicted = [], []
    while len(truth) < count:
        field = ndimage.gaussian_filter(rng.normal(size=shape), 1.6)
        other = field + 0.35 * ndimage.gaussian_filter(rng.normal(size=shape), 1.6)
        pair = [components(each > np.quantile(each, 0.82))[0] for each in (field, other)]
        if all(one.any() for one in pair):
            truth.append(pair[0])
            predicted.append(pair[1])
    return np.array(truth), np.array(predicted)


def test_rq_sq_and_pq_equal_panopticas_on_random_maps(repository, tmp_path):
    python = repository / ".venv-peers" / "panoptica" / "bin" / "python"
    if not python.is_file():
        pytest.skip(f"There is no panoptica in {python.parents[1]}; `make peers` installs it.")
    truth, predicted = random_maps()
    np.savez(tmp_path / "maps.npz", truth=truth, predicted=predicted)
    asked = subprocess.run([python, "-c", ASK, tmp_path / "maps.npz"], capture_output=True, text=True, check=False)
    assert asked.returncode == 0, asked.stderr[-2000:]
    answers = json.loads(asked.stdout.split("ANSWER ")[1])
    matched = 0
    for one, other, answer in zip(truth, predicted, answers, strict=True):
        found = {e.name: e.value for e in lesion_agreement([LesionCase("a", "a", overlaps_of(one, other))], Drawing(replicates=2))}
        ours = [found[f"iou0.5:{figure}"] for figure in ("rq", "sq", "pq", "tp", "fp", "fn")]
        assert ours[3:] == answer[3:]
        assert [ours[0], ours[2]] == pytest.approx([answer[0], answer[2]], abs=1e-9)
        if ours[3]:
            assert ours[1] == pytest.approx(answer[1], abs=1e-9)
        matched += ours[3]
    assert matched > 50  # the maps do test the matching
