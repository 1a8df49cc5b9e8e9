"""What the service counts, as Prometheus reads it. No label is ever a shopper, an item or a key's secret."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """The counters of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "huaxiang_requests",
            "Requests answered.",
            ("route", "method", "status"),
            registry=self.registry,
        )
        self.latency_s = Histogram(
            "huaxiang_request_seconds",
            "Time until a request was answered.",
            ("route",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.events = Counter(
            "huaxiang_events", "Events received.", ("shop", "outcome"), registry=self.registry
        )
        self.degraded = Counter(
            "huaxiang_degraded",
            "Answers that were poorer than they should be.",
            ("shop", "kind"),
            registry=self.registry,
        )
        self.waiting = Gauge(
            "huaxiang_events_waiting", "Events waiting to be written.", registry=self.registry
        )
        self.behind_s = Gauge(
            "huaxiang_learning_lag_seconds",
            "Age of the newest event that popularity, neighbours and trends have learnt.",
            ("shop",),
            registry=self.registry,
        )
        self.learning_failures = Counter(
            "huaxiang_learning_failures",
            "Times that events could not be learnt and had to be tried again.",
            ("shop",),
            registry=self.registry,
        )
        self.freshness_s = Histogram(
            "huaxiang_freshness_seconds",
            "From the arrival of an event to when every list knows it.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.search_s = Histogram(
            "huaxiang_search_seconds",
            "Time until a search was answered.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.model = Gauge(
            "huaxiang_model_info", "The model that is served.", ("shop", "model"), registry=self.registry
        )
        self.drift = Gauge(
            "huaxiang_drift_index",
            "Population stability index of what is watched; below 0.1 is steady, from 0.25 on large.",
            ("shop", "name"),
            registry=self.registry,
        )
        self.is_drifting = Gauge(
            "huaxiang_drifting",
            "1 where that is more than chance alone could do.",
            ("shop", "name"),
            registry=self.registry,
        )
        self.rebuilt = Gauge(
            "huaxiang_states_rebuilt",
            "States built again from the log since the start.",
            ("shop",),
            registry=self.registry,
        )
        self.checkpoint_failures = Counter(
            "huaxiang_checkpoint_failures",
            "Times that SQLite's write-ahead log could not be moved into the database.",
            registry=self.registry,
        )
        self.items = Counter(
            "huaxiang_items", "Changes of items received.", ("shop", "outcome"), registry=self.registry
        )
        self.photos = Counter(
            "huaxiang_photos", "Photos that were named.", ("shop", "outcome"), registry=self.registry
        )
        self.catalogue_s = Histogram(
            "huaxiang_catalogue_seconds",
            "Time to take a part of the changed items into the lists.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.letters = Counter(
            "huaxiang_letters",
            "Events that could not be taken: kept, mended, or dropped to make room.",
            ("shop", "outcome"),
            registry=self.registry,
        )
        self.letters_waiting = Gauge(
            "huaxiang_letters_waiting", "Events that wait to be retried.", ("shop",), registry=self.registry
        )
        self.rules = Gauge(
            "huaxiang_rules", "Shop rules that are in force.", ("shop",), registry=self.registry
        )
        self.rules_refused = Gauge(
            "huaxiang_rules_refused",
            "1 while the file of shop rules is wrong, and those before it stay.",
            ("shop",),
            registry=self.registry,
        )
