"""Capacitated vehicle routing: short routes for several vehicles from one depot."""

from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt

from ortools.constraint_solver import pywrapcp, routing_enums_pb2

EARTH_RADIUS_M = 6_371_000


@dataclass(frozen=True)
class Place:
    """Degrees north and east."""

    lat: float
    lon: float


@dataclass(frozen=True)
class Stop:
    id: str
    place: Place
    demand: int


@dataclass(frozen=True)
class Route:
    vehicle: int
    stops: list[str]
    load: int
    distance_m: int


class Unsolvable(Exception):
    """No routes fulfil what was asked for; the message says why where that is known."""


def metres(a: Place, b: Place) -> int:
    """Along the great circle (haversine)."""
    lat_a, lat_b = radians(a.lat), radians(b.lat)
    across = sin((lat_b - lat_a) / 2) ** 2
    along = cos(lat_a) * cos(lat_b) * sin(radians(b.lon - a.lon) / 2) ** 2
    return round(2 * EARTH_RADIUS_M * asin(sqrt(across + along)))


def solve(
    depot: Place, stops: list[Stop], vehicles: int, capacity: int, patience_s: float = 1
) -> list[Route]:
    """Routes that visit every stop once and end at the depot; the best within `patience_s`."""
    wanted = sum(stop.demand for stop in stops)
    if wanted > vehicles * capacity:
        raise Unsolvable(f"{wanted} units do not fit into {vehicles} vehicles of {capacity}")
    places = [depot, *(stop.place for stop in stops)]
    demands = [0, *(stop.demand for stop in stops)]
    table = [[metres(a, b) for b in places] for a in places]
    manager = pywrapcp.RoutingIndexManager(len(places), vehicles, 0)
    model = pywrapcp.RoutingModel(manager)

    def distance(start: int, end: int) -> int:
        return table[manager.IndexToNode(start)][manager.IndexToNode(end)]

    def demand(index: int) -> int:
        return demands[manager.IndexToNode(index)]

    model.SetArcCostEvaluatorOfAllVehicles(model.RegisterTransitCallback(distance))
    loads = model.RegisterUnaryTransitCallback(demand)
    model.AddDimensionWithVehicleCapacity(loads, 0, [capacity] * vehicles, True, "load")

    parameters = pywrapcp.DefaultRoutingSearchParameters()
    parameters.first_solution_strategy = routing_enums_pb2.FirstSolutionStrategy.PATH_CHEAPEST_ARC
    parameters.time_limit.FromMilliseconds(int(patience_s * 1000))
    solution = model.SolveWithParameters(parameters)
    if solution is None:
        raise Unsolvable("no routes were found that respect the capacity of each vehicle")

    routes = []
    for vehicle in range(vehicles):
        index, visited, length = model.Start(vehicle), [], 0
        while not model.IsEnd(index):
            following = solution.Value(model.NextVar(index))
            length += distance(index, following)
            if not model.IsEnd(following):
                visited.append(stops[manager.IndexToNode(following) - 1])
            index = following
        if visited:
            load = sum(stop.demand for stop in visited)
            routes.append(Route(vehicle, [stop.id for stop in visited], load, length))
    return routes
