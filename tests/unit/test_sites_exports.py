"""What leaves a site log: a table, Slicer's markups held to Slicer's schema, FHIR held to an independent validator, the map."""

from __future__ import annotations

import csv
import io
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import jsonschema
import nibabel
import numpy as np
import pytest
from fhir.resources.bundle import Bundle

from onclair.core.errors import BadCohort, BadInput, BadTable, CheckFailed
from onclair.report.sites_csv import sites_csv
from onclair.report.sites_fhir import sites_bundle
from onclair.report.sites_slicer import sites_markups
from onclair.run.session_folder import Session
from onclair.run.sites import log_of
from onclair.studies.tasks.spectra_sitelog import Deeds, keep_log, read_pathology
from site_sessions import finished, mark_site, pathology_csv, session_at

#: What Slicer's markups schema 1.0.3 asks of the parts that are written here: types, enumerations and lengths.
MARKUPS = {
    "type": "object",
    "required": ["@schema", "markups"],
    "properties": {
        "@schema": {"type": "string", "pattern": r"markups-schema-v1\.0\.3\.json#$"},
        "markups": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["type", "coordinateSystem", "controlPoints"],
                "properties": {
                    "type": {"const": "Fiducial"},
                    "name": {"type": "string"},
                    "coordinateSystem": {"const": "LPS"},
                    "coordinateUnits": {"const": "mm"},
                    "locked": {"type": "boolean"},
                    "fixedNumberOfControlPoints": {"type": "boolean"},
                    "labelFormat": {"type": "string"},
                    "lastUsedControlPointNumber": {"type": "integer"},
                    "controlPoints": {"type": "array", "items": {"$ref": "#/$defs/point"}},
                    "display": {"$ref": "#/$defs/display"},
                },
                "additionalProperties": False,
            },
        },
    },
    "$defs": {
        "point": {
            "type": "object",
            "properties": {
                "id": {"type": "string"},
                "label": {"type": "string"},
                "description": {"type": "string"},
                "associatedNodeID": {"type": "string"},
                "position": {"type": "array", "items": {"type": "number"}, "minItems": 3, "maxItems": 3},
                "orientation": {"type": "array", "items": {"type": "number"}, "minItems": 9, "maxItems": 9},
                "selected": {"type": "boolean"},
                "locked": {"type": "boolean"},
                "visibility": {"type": "boolean"},
                "positionStatus": {"enum": ["undefined", "preview", "defined"]},
            },
            "additionalProperties": False,
        },
        "display": {
            "type": "object",
            "properties": {
                "visibility": {"type": "boolean"},
                "opacity": {"type": "number", "minimum": 0, "maximum": 1},
                "selectedColor": {"type": "array", "items": {"type": "number", "minimum": 0, "maximum": 1}, "minItems": 3, "maxItems": 3},
                "pointLabelsVisibility": {"type": "boolean"},
                "glyphType": {"enum": ["Vertex2D", "Cross2D", "Circle2D", "Sphere3D", "Diamond3D"]},
            },
            "additionalProperties": False,
        },
    },
}


@pytest.fixture
def session(tmp_path: Path) -> Session:
    made = finished(tmp_path / "s")
    mark_site(made, 4, 300.0, place=None)
    keep_log(made.folder, Deeds(pathology=pathology_csv(tmp_path / "p.csv", ["1,core,0.9,A1", "2,healthy,0,A2"]), by="Dr P"))
    return made


def rows_of(session: Session) -> list[dict]:
    return keep_log(session.folder, Deeds()).rows


def exported(session: Session, kind: str, out: Path) -> list[dict]:
    told = keep_log(session.folder, Deeds(export=[kind], out=out))
    return [*told.did["exports"][0]["files"], *told.notes]


def test_the_table_holds_a_row_a_site_and_empty_cells_for_what_is_not_known(session: Session, tmp_path: Path) -> None:
    exported(session, "csv", tmp_path / "out")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out" / "sites.csv").read_text())))
    assert [row["site"] for row in rows] == ["1", "2", "3", "4"]
    assert (rows[0]["x_lps_mm"], rows[0]["diagnosis"], rows[0]["infiltration"], rows[0]["block"]) == ("14.0", "core", "0.9", "A1")
    assert (rows[3]["x_lps_mm"], rows[3]["diagnosis"], rows[3]["infiltration"]) == ("", "", "")
    assert float(rows[0]["probability"]) == rows_of(session)[0]["probability"]


def test_the_first_columns_of_the_table_are_those_of_the_contract() -> None:
    header = sites_csv([]).strip().split(",")
    assert header[:11] == [
        *("site", "x_lps_mm", "y_lps_mm", "z_lps_mm", "frame_of_reference", "registration_error_mm"),
        *("answer", "probability", "note", "diagnosis", "infiltration"),
    ]


def test_markups_hold_to_slicers_schema(session: Session, tmp_path: Path) -> None:
    exported(session, "slicer", tmp_path / "out")
    jsonschema.validate(json.loads((tmp_path / "out" / "sites.mrk.json").read_text()), MARKUPS)


def test_markups_are_in_lps_and_name_their_navigation_frame(session: Session) -> None:
    (made,) = sites_markups(rows_of(session))["markups"]
    assert made["name"] == "Biopsy sites (navigation A)"
    assert made["controlPoints"][0]["position"] == [14.0, 20.0, 30.0]
    assert made["controlPoints"][1]["description"].startswith("not_suspect, p = 0.1")


def test_a_site_without_a_pose_is_no_markup_and_is_told(session: Session, tmp_path: Path) -> None:
    notes = [each for each in exported(session, "slicer", tmp_path / "out") if "code" in each]
    assert len(sites_markups(rows_of(session))["markups"][0]["controlPoints"]) == 3
    assert notes[0]["text"].endswith("are not among the markups: 4.")


def test_sites_of_two_navigation_frames_stand_in_two_lists(session: Session) -> None:
    rows = rows_of(session)
    rows[1]["frame_of_reference"] = "navigation B"
    assert [len(each["controlPoints"]) for each in sites_markups(rows)["markups"]] == [2, 1]


def test_an_independent_validator_takes_the_bundle(session: Session, tmp_path: Path) -> None:
    exported(session, "fhir", tmp_path / "out")
    bundle = Bundle.model_validate_json((tmp_path / "out" / "sites.fhir.json").read_text())
    kinds = [entry.resource.get_resource_type() for entry in bundle.entry]
    assert (kinds.count("Specimen"), kinds.count("Observation")) == (4, 6)


def test_the_models_answer_is_preliminary_and_apart_from_the_pathologists(session: Session) -> None:
    resources = [entry["resource"] for entry in sites_bundle(rows_of(session), {"session": "ab"})["entry"]]
    answers = [r for r in resources if r["resourceType"] == "Observation" and r["code"]["coding"][0]["code"] == "answer"]
    diagnoses = [r for r in resources if r["resourceType"] == "Observation" and r["code"]["coding"][0]["code"] == "diagnosis"]
    assert [r["status"] for r in answers] == ["preliminary"] * 4
    assert [r["status"] for r in diagnoses] == ["final"] * 2
    assert not any("core" in json.dumps(r) for r in answers)
    assert not any("suspect" in json.dumps(r) or "linear" in json.dumps(r) for r in diagnoses)
    assert answers[0]["specimen"] == diagnoses[0]["specimen"]


def test_a_review_makes_the_answer_final_or_an_error(session: Session) -> None:
    keep_log(session.folder, Deeds(review=1, by="Dr C"))
    keep_log(session.folder, Deeds(review=2, action="reject", note="blood", by="Dr C"))
    resources = [entry["resource"] for entry in sites_bundle(rows_of(session), {"session": "ab"})["entry"]]
    answers = [r for r in resources if r.get("code", {}).get("coding", [{}])[0].get("code") == "answer"]
    assert [r["status"] for r in answers] == ["final", "entered-in-error", "preliminary", "preliminary"]


def test_a_sealed_answer_is_masked_in_fhir(tmp_path: Path) -> None:
    made = finished(tmp_path / "s", (500.0,), silent=True, plan=None)
    bundle = sites_bundle(rows_of(made), {"session": "ab"})
    Bundle.model_validate_json(json.dumps(bundle))
    observation = bundle["entry"][1]["resource"]
    assert observation["dataAbsentReason"]["coding"][0]["code"] == "masked"
    assert "valueCodeableConcept" not in observation


def test_every_word_of_the_french_bundle_is_french(session: Session) -> None:
    texts = json.dumps(sites_bundle(rows_of(session), {"session": "ab", "data": "virtual"}, "fr"), ensure_ascii=False)
    assert "Réponse du modèle au site de biopsie" in texts
    assert not any(word in texts for word in ("Answer", "Probability", "Research", "Diagnosis of"))


def test_the_same_log_gives_the_same_bytes(session: Session, tmp_path: Path) -> None:
    for kind in ("csv", "slicer", "fhir", "map"):
        one, two = (exported(session, kind, tmp_path / name) for name in ("a", "b"))
        assert [each["sha256"] for each in one if "sha256" in each] == [each["sha256"] for each in two if "sha256" in each]


def test_a_subject_that_looks_like_a_name_does_not_leave(session: Session) -> None:
    with pytest.raises(BadCohort, match="looks like a name"):
        sites_bundle(rows_of(session), {"session": "ab", "subject": "Jane Doe"})


def test_the_map_is_empty_beyond_five_millimetres_of_a_site(session: Session, tmp_path: Path) -> None:
    exported(session, "map", tmp_path / "out")
    image = nibabel.load(tmp_path / "out" / "map.nii.gz")
    values, ras = np.asarray(image.dataobj), image.affine
    places = np.argwhere(np.isfinite(values[..., 0])) @ ras[:3, :3].T + ras[:3, 3]
    sites = np.array([[row["x_lps_mm"], row["y_lps_mm"], row["z_lps_mm"]] for row in rows_of(session)[:3]]) * [-1, -1, 1]
    away = np.linalg.norm(places[:, None] - sites[None], axis=2).min(axis=1)
    assert values.shape[3] == 2
    assert 4.8 < away.max() <= 5.0 + 1e-6
    assert np.array_equal(np.isnan(values[..., 0]), np.isnan(values[..., 1]))


def test_the_drawn_map_names_its_sites_and_says_that_it_is_virtual(session: Session, tmp_path: Path) -> None:
    exported(session, "map", tmp_path / "out")
    svg = ET.parse(tmp_path / "out" / "map.svg").getroot()
    texts = [each.text for each in svg.iter() if each.tag.endswith("text")]
    assert {"1", "2", "3", "virtual", "R", "L", "A", "P"} <= set(texts)
    assert "Not on the map (no place there, or no answer): site 4." in texts


def test_without_any_probability_the_map_is_drawn_from_the_answers_and_says_so(session: Session, tmp_path: Path) -> None:
    told = keep_log(session.folder, Deeds())
    from onclair.studies.tasks.spectra_sitelog import _exported

    for row in told.rows:
        row["probability"] = None
    _exported("map", told, tmp_path / "out", "en")
    assert "no_probability" in [note["code"] for note in told.notes]
    assert "drawn from the answers alone" in (tmp_path / "out" / "map.svg").read_text()


def test_a_session_without_places_has_no_map(tmp_path: Path) -> None:
    session = session_at(tmp_path / "s")
    mark_site(session, 1, 500.0, place=None)
    with pytest.raises(BadInput, match="there is nothing to map"):
        exported(session, "map", tmp_path / "out")


def test_a_log_that_does_not_hold_is_not_exported(session: Session, tmp_path: Path) -> None:
    path = log_of(session).path
    path.write_bytes(path.read_bytes().replace(b"note 1", b"note 7"))
    with pytest.raises(CheckFailed, match="does not hold"):
        exported(session, "csv", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("header", "rows", "said"),
    [
        ("site,diagnos", ["1,core"], "no column 'diagnosis'"),
        ("site,diagnosis", ["1,core", "1,margin"], "Site 1 stands twice"),
        ("site,diagnosis", ["one,core"], "The site in row 1 .* is 'one'"),
        ("site,diagnosis", ["1.5,core"], "is '1.5'"),
        ("site,diagnosis,infiltration", ["1,core,30"], "30 % is 0.3"),
        ("site,diagnosis,infiltration", ["1,,"], "says nothing of site 1"),
        ("site,diagnosis,infiltratoin", ["1,core,0.3"], "name it 'infiltration'"),
    ],
)
def test_a_bad_pathology_table_is_refused_in_words(tmp_path: Path, header: str, rows: list[str], said: str) -> None:
    with pytest.raises(BadTable, match=said):
        read_pathology(pathology_csv(tmp_path / "p.csv", rows, header))


def test_a_pathology_table_of_a_french_spreadsheet_is_read(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_bytes("site;diagnosis;infiltration;bloc\r\n1;marge infiltrée;0,3;007\r\n".encode("cp1252"))
    (row,) = read_pathology(tmp_path / "p.csv")[0]
    assert (row.diagnosis, row.infiltration, row.further) == ("marge infiltrée", 0.3, {"bloc": "007"})


def test_inputs_unlike_those_that_the_model_knew_are_told(tmp_path: Path) -> None:
    known = {"level": {"mean": 200.0, "between": 20.0, "within": 10.0}}
    usual, odd = (finished(tmp_path / name, levels, monitor=known) for name, levels in (("a", (190.0, 200.0, 220.0)), ("b", (900.0,) * 3)))
    assert [each["departs"] for session in (usual, odd) for each in keep_log(session.folder, Deeds()).monitor] == [False, True]
