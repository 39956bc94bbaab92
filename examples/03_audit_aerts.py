"""What does the most cited radiomic signature measure? Ask patients whose CT texture means nothing.

Virtual CT patients are made whose outcome follows the volume of the lesion and nothing else. The signature of Aerts and colleagues
(four features, weights as distributed) is rebuilt from its card and audited: beside the volume alone, and on lesions whose voxels
were put in random places. It ranks patients nearly the same when the voxels are shuffled, so whatever it tells is no texture
(Welch et al. 2019, doi:10.1016/j.radonc.2018.10.027); and the plain volume tells more.

Run it with ``python examples/03_audit_aerts.py``; it takes about half a minute and writes to a temporary folder.
"""

import tempfile
from pathlib import Path

import tomli_w

from onclair.io.cards import read_card
from onclair.run.pool import cores, pool
from onclair.run.verify import verify
from onclair.studies.tasks.radiomics_audit import Audit, audit
from onclair.virtual.radiomics import VirtualRadiomics, write


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        cohort, card, out = Path(place, "cohort"), Path(place, "card.toml"), Path(place, "run")
        with pool(cores()) as over:
            write(
                VirtualRadiomics(patients=30, centres=2, seed=3, truth="volume", modality="ct", field_mm=96.0, card_patients=0),
                cohort,
                map=over,
            )
        document = dict(read_card("aerts-2014").document)
        document["card"] = {**document["card"], "outcome": "event"}  # what this cohort calls its outcome
        document["roi"] = {"structure": "lesion"}
        card.write_text(tomli_w.dumps(document), encoding="utf-8")

        found = audit(Audit(card, cohort, seeds=2, out=out, workers=cores()))
        figures, verdict = {e.name: e for e in found.claim.estimates}, found.claim.facts["verdict"]
        names = ("auc:model", "auc:rival:volume", "auc:model-minus-volume", "auc:model:shuffled-voxels", "spearman:model:shuffled-voxels")
        for name in names:
            print(f"{name:32} {figures[name].text()}")
        print(verdict["sentence"])

        same = figures["spearman:model:shuffled-voxels"].value
        assert same is not None
        assert same > 0.9, "the score is nearly the same when the voxels change places"
        assert "intensity" in verdict["explained_by"], "and the audit says so"
        assert verdict["replication"] == "insufficient", "thirty patients validate nothing"
        assert (figures["auc:rival:volume"].value or 0.0) > (figures["auc:model"].value or 1.0), "the volume alone tells more"
        assert verify(out).valid


if __name__ == "__main__":  # worker processes import this file again
    main()
