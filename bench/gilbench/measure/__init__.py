"""Measuring: rounds of fresh worker processes turn cases into observations; live processes answer what probes ask."""
