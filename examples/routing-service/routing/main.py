"""The HTTP API."""

import os
from typing import Annotated

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field

from routing import __version__, solver

app = FastAPI(title="routing-service", version=__version__)
RELEASE = os.environ.get("RELEASE", __version__)

Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]


class Place(BaseModel):
    lat: Latitude
    lon: Longitude


class Stop(Place):
    id: Annotated[str, Field(pattern=r"^[A-Z0-9-]{1,32}$")]
    demand: Annotated[int, Field(ge=0, le=1_000_000)] = 1


class Plan(BaseModel):
    depot: Place
    stops: Annotated[list[Stop], Field(min_length=1, max_length=200)]
    vehicles: Annotated[int, Field(ge=1, le=50)] = 1
    capacity: Annotated[int, Field(ge=1, le=1_000_000)] = 100


class Route(BaseModel):
    vehicle: int
    stops: list[str]
    load: int
    distance_m: int


class Routes(BaseModel):
    distance_m: int
    routes: list[Route]


@app.get("/healthz")
def healthy() -> dict[str, str]:
    return {"status": "ok"}


@app.get("/readyz")
def ready() -> dict[str, str]:
    return {"status": "ready", "release": RELEASE}


# Without `async`, so that solving has a thread of its own and probes are answered meanwhile.
@app.post("/routes")
def plan_routes(plan: Plan) -> Routes:
    stops = [solver.Stop(one.id, solver.Place(one.lat, one.lon), one.demand) for one in plan.stops]
    depot = solver.Place(plan.depot.lat, plan.depot.lon)
    try:
        routes = solver.solve(depot, stops, plan.vehicles, plan.capacity)
    except solver.Unsolvable as error:
        raise HTTPException(422, str(error)) from error
    found = [Route(**vars(route)) for route in routes]
    return Routes(distance_m=sum(route.distance_m for route in found), routes=found)
