"""Whether the rules, the alerts and the dashboard in ops/ name only what exists.

    names.py SCRAPE

Every metric is in the scrape or is recorded by a rule, and has the labels that an expression, a
legend or a summary reads. Every alert has a severity, a summary, a runbook that is a heading of
docs/operations.md, and tests in which it fires and is quiet. The dashboard fits its data source.
Prints a line for each passed check. Exits with 1 and every finding otherwise.
"""

import json
import pathlib
import re
import sys

import promql_parser
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = ROOT / "ops" / "prometheus" / "rules.yml"
ALERTS = ROOT / "ops" / "prometheus" / "alerts.yml"
TESTS = ROOT / "ops" / "prometheus" / "tests.yml"
DASHBOARD = ROOT / "ops" / "grafana" / "screenerd.json"
GUIDE = ROOT / "docs" / "operations.md"
RUNBOOK = "https://github.com/screenerd/screenerd/blob/main/docs/operations.md#"

# Prometheus adds these labels to each sample, and the metric `up` to each target.
OF_TARGETS = {"job", "instance"}
SAMPLE = re.compile(r"(\w+)(?:\{(.*)\})? \S+")
LABEL = re.compile(r'(\w+)="(?:[^"\\]|\\.)*"')

findings = []


def find(text):
    findings.append(text)


class Metrics:
    """The labels of metrics by name."""

    def __init__(self, scrape):
        self.labels = {"up": set(OF_TARGETS)}
        for line in scrape.splitlines():
            # A gauge may have no sample, such as that of a certificate.
            if gauge := re.fullmatch(r"# TYPE (\w+) gauge", line):
                self.labels.setdefault(gauge[1], set(OF_TARGETS))
            if not line.startswith("#"):
                name, labels = SAMPLE.fullmatch(line).groups()
                known = self.labels.setdefault(name, set(OF_TARGETS))
                known.update(LABEL.findall(labels or ""))
        self.used = set()

    def selected(self, place, selector):
        """Checks a selector. Returns the labels of its samples."""
        if selector.name not in self.labels:
            find(f"{place}: no metric {selector.name or selector}")
            return set()
        self.used.add(selector.name)
        known = self.labels[selector.name]
        for matcher in selector.matchers.matchers:
            if matcher.name not in known:
                find(f"{place}: {selector.name} has no label {matcher.name}")
        return known

    def read(self, place, expression):
        """Checks an expression. Returns the labels of its result."""
        match expression:
            case promql_parser.VectorSelector():
                return self.selected(place, expression)
            case promql_parser.MatrixSelector():
                return self.selected(place, expression.vector_selector)
            case promql_parser.AggregateExpr():
                labels = self.read(place, expression.expr)
                modifier = expression.modifier
                if modifier is None:
                    keeps = str(expression.op) in ("topk", "bottomk", "limitk")
                    return labels if keeps else set()
                named = set(modifier.labels)
                if unknown := named - labels:
                    find(f"{place}: {expression.expr} has no label {', '.join(sorted(unknown))}")
                is_by = modifier.type == promql_parser.AggModifierType.By
                return labels & named if is_by else labels - named
            case promql_parser.BinaryExpr():
                labels, others = self.read(place, expression.lhs), self.read(place, expression.rhs)
                return labels if str(expression.op) in ("and", "unless") else labels | others
            case promql_parser.Call():
                labels = set().union(*(self.read(place, argument) for argument in expression.args))
                if expression.func.name == "histogram_quantile" and "le" not in labels:
                    find(f"{place}: {expression} has no label le")
                is_quantile = expression.func.name == "histogram_quantile"
                return labels - {"le"} if is_quantile else labels
            case promql_parser.NumberLiteral() | promql_parser.StringLiteral():
                return set()
            case promql_parser.ParenExpr() | promql_parser.SubqueryExpr() | promql_parser.UnaryExpr():
                return self.read(place, expression.expr)
            case _:
                raise TypeError(f"{place}: {type(expression)}")

    def parse(self, place, text):
        try:
            expression = promql_parser.parse(text)
        except ValueError as error:
            find(f"{place}: {error}: {text}")
            return set()
        return self.read(place, expression)


def rules_of(path):
    groups = yaml.safe_load(path.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def check_rules(metrics):
    for rule in rules_of(RULES):
        labels = metrics.parse(rule["record"], rule["expr"]) | set(rule.get("labels", {}))
        metrics.labels.setdefault(rule["record"], set()).update(labels)


def anchors(text):
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", prose, flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def check_alerts(metrics):
    headings = anchors(GUIDE.read_text())
    fires, quiet = set(), set()
    for test in yaml.safe_load(TESTS.read_text())["tests"]:
        for case in test["alert_rule_test"]:
            (fires if case["exp_alerts"] else quiet).add(case["alertname"])
    alerts = rules_of(ALERTS)
    for alert in alerts:
        name = alert["alert"]
        labels = metrics.parse(name, alert["expr"])
        texts = alert["annotations"]
        for label in re.findall(r"\$labels\.(\w+)", texts["summary"]):
            if label not in labels:
                find(f"{name}: the summary reads the label {label}, which the alert lacks")
        sentence = re.sub(r"\{\{.*?\}\}", "", texts["summary"]).strip()
        if not sentence.endswith(".") or ". " in sentence:
            find(f"{name}: the summary is not one sentence")
        if alert["labels"]["severity"] not in ("critical", "warning"):
            find(f"{name}: the severity is neither critical nor warning")
        runbook, _, anchor = texts["runbook_url"].partition("#")
        if f"{runbook}#" != RUNBOOK or anchor not in headings:
            find(f"{name}: {texts['runbook_url']} is no heading of docs/operations.md")
        if name not in fires:
            find(f"{name}: no test in which it fires")
        if name not in quiet:
            find(f"{name}: no test in which it is quiet")
    names = {alert["alert"] for alert in alerts}
    for name in (fires | quiet) - names:
        find(f"{TESTS.name}: no alert {name}")
    for name in set(re.findall(r"\bScreenerd[A-Z]\w+", DASHBOARD.read_text())) - names:
        find(f"{DASHBOARD.name}: no alert {name}")
    return len(alerts)


def sources_of(value):
    """Returns every data source in a JSON value."""
    if isinstance(value, list):
        return [source for item in value for source in sources_of(item)]
    if not isinstance(value, dict):
        return []
    here = [value["datasource"]] if "datasource" in value else []
    return here + [source for item in value.values() for source in sources_of(item)]


def overlap(one, other):
    return (
        one["x"] < other["x"] + other["w"]
        and other["x"] < one["x"] + one["w"]
        and one["y"] < other["y"] + other["h"]
        and other["y"] < one["y"] + one["h"]
    )


def check_dashboard(metrics):
    dashboard = json.loads(DASHBOARD.read_text())
    panels = dashboard["panels"]
    for source in sources_of(dashboard):
        if source["uid"] not in ("${datasource}", "-- Grafana --"):
            find(f"the dashboard names the data source {source['uid']}")
    if len({panel["id"] for panel in panels}) < len(panels):
        find("two panels of the dashboard have one id")
    for at, panel in enumerate(panels):
        for other in panels[:at]:
            if overlap(panel["gridPos"], other["gridPos"]):
                find(f"the panels {other['title']} and {panel['title']} overlap")
        for target in panel.get("targets", []):
            text = target["expr"].replace("$__rate_interval", "5m")
            labels = metrics.parse(panel["title"], text)
            for label in re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]):
                if label not in labels:
                    find(f"{panel['title']}: the legend reads the label {label}, which is not kept")
    for variable in dashboard["templating"]["list"]:
        if variable["type"] != "query":
            continue
        name, query = variable["name"], variable["query"]["query"]
        selector, label = re.fullmatch(r"label_values\((.*), (\w+)\)", query).groups()
        if label not in metrics.parse(f"the variable {name}", selector):
            find(f"the variable {name}: no label {label}")
    return len([panel for panel in panels if panel["type"] != "row"])


def main(scrape):
    metrics = Metrics(pathlib.Path(scrape).read_text())
    check_rules(metrics)
    alerts = check_alerts(metrics)
    panels = check_dashboard(metrics)
    if findings:
        sys.exit("\n".join(findings))
    print(f"{len(metrics.used)} metrics of the rules, the alerts and the dashboard exist")
    print(f"{alerts} alerts have a runbook and tests")
    print(f"{panels} panels read labels that exist, from the chosen data source")


if __name__ == "__main__":
    main(sys.argv[1])
