from fastapi.testclient import TestClient

from routing import __version__
from routing.main import app

client = TestClient(app)
GRAZ = {"lat": 47.07, "lon": 15.44}
STOPS = [
    {"id": "VIENNA", "lat": 48.21, "lon": 16.37, "demand": 4},
    {"id": "LINZ", "lat": 48.31, "lon": 14.29, "demand": 3},
    {"id": "WELS", "lat": 48.16, "lon": 14.03, "demand": 2},
]


def test_is_healthy_and_says_its_release_when_ready():
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ready", "release": __version__}


def test_one_vehicle_visits_every_stop_on_the_shortest_way():
    answer = client.post("/routes", json={"depot": GRAZ, "stops": STOPS}).json()
    (route,) = answer["routes"]
    assert route["stops"] in (["VIENNA", "LINZ", "WELS"], ["WELS", "LINZ", "VIENNA"])
    assert route["load"] == 9
    assert 480_000 < answer["distance_m"] == route["distance_m"] < 530_000


def test_what_one_vehicle_cannot_carry_goes_onto_two():
    plan = {"depot": GRAZ, "stops": STOPS, "vehicles": 2, "capacity": 5}
    routes = client.post("/routes", json=plan).json()["routes"]
    assert sorted(route["stops"] for route in routes) in (
        [["LINZ", "WELS"], ["VIENNA"]],
        [["VIENNA"], ["WELS", "LINZ"]],
    )
    assert all(route["load"] <= 5 for route in routes)


def test_refuses_what_fits_into_no_vehicle():
    answer = client.post("/routes", json={"depot": GRAZ, "stops": STOPS, "capacity": 5})
    assert answer.status_code == 422
    assert answer.json()["detail"] == "9 units do not fit into 1 vehicles of 5"


def test_refuses_what_it_cannot_read():
    assert client.post("/routes", json={"depot": GRAZ, "stops": []}).status_code == 422
    nowhere = {"depot": {"lat": 91, "lon": 0}, "stops": STOPS}
    assert client.post("/routes", json=nowhere).status_code == 422
