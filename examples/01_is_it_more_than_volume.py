"""Is a radiomic model more than the lesion's volume? Ask a cohort in which nothing but the volume decides.

Virtual PET patients are made whose outcome follows the volume of the lesion and nothing else. The study must then say so: the
volume alone does as well as the model, and shuffling the voxels inside the outline takes nothing away.

Run it with ``python examples/01_is_it_more_than_volume.py``; it takes about half a minute and writes to a temporary folder.
"""

import tempfile
from pathlib import Path

from onclair.report.files import report_files
from onclair.run.engine import Job, run
from onclair.run.pool import cores, pool
from onclair.run.verify import verify
from onclair.studies.radiomics import RadiomicsSettings, study
from onclair.virtual.radiomics import VirtualRadiomics, write


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        cohort, out = Path(place, "cohort"), Path(place, "run")
        with pool(cores()) as over:
            write(VirtualRadiomics(patients=60, centres=2, seed=3, truth="volume", field_mm=112.0), cohort, map=over)

        settings = RadiomicsSettings(models=("logistic",), repeats=1, shuffles=1)
        result = run(Job(study, settings, cohort, out, report_files, workers=cores()))
        found = {e.name: e for e in result.claim.estimates}

        for name in ("auc:model", "auc:rival:volume", "auc:model-minus-volume", "auc:model:shuffled-voxels", "spearman:model:volume"):
            print(f"{name:28} {found[name].text()}")

        volume, difference = found["auc:rival:volume"], found["auc:model-minus-volume"]
        assert volume.value is not None
        assert volume.value > 0.75, "in this cohort the volume decides, and it is seen to"
        assert difference.low is not None
        assert difference.low <= 0, "no advantage over the volume may be claimed"
        assert verify(out).valid


if __name__ == "__main__":  # worker processes import this file again
    main()
