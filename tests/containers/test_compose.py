"""compose.yaml: what it starts is pinned, limited, reachable from this machine only, and understood by the programs."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest
import typer
import yaml

from quorate.cli.app import app
from quorate.core.configuration import known_keys, load_settings
from stubs.compose import composition
from stubs.dockerfile import stages

ROOT = Path(__file__).parents[2]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

COMPOSE = composition()
SERVICES = COMPOSE["services"]
OWN = {name: service for name, service in SERVICES.items() if "build" in service}
each_service = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
# Variables that the images of others read.
READ = {
    "postgres": {"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD_FILE"},
    "prometheus": set(),
    "grafana": {
        "GF_SECURITY_ADMIN_PASSWORD__FILE",
        "GF_USERS_ALLOW_SIGN_UP",
        "GF_ANALYTICS_REPORTING_ENABLED",
        "GF_ANALYTICS_CHECK_FOR_UPDATES",
        "GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH",
    },
}


def test_the_parts_are_there():
    assert set(SERVICES) == {"service", "paper", "retrain", "postgres", "prometheus", "grafana"}
    assert set(OWN) == {"service", "paper", "retrain"}
    # Its image is large, and the others do without it.
    assert [name for name, service in SERVICES.items() if "profiles" in service] == ["retrain"]


@each_service
def test_images_are_pinned(service):
    name, _, tag = service["image"].partition(":")
    assert re.match(r"v?\d+\.\d+", tag), f"{name}: {tag}"
    if "build" in service:
        assert service["image"] in (f"quorate:{VERSION}", f"quorate-train:{VERSION}")
        assert ("training" in service["build"]["dockerfile"]) is service["image"].startswith("quorate-train:")
        assert (ROOT / service["build"]["context"] / service["build"]["dockerfile"]).is_file()


@each_service
def test_nothing_has_more_rights_than_it_needs(service):
    assert not {"privileged", "cap_add", "network_mode", "pid", "ipc", "devices", "userns_mode"} & set(service)
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service.get("cap_drop") == ["ALL"] or service["image"].startswith("postgres:")  # it changes its user
    assert service["restart"] == "unless-stopped"
    limits = service["deploy"]["resources"]["limits"]
    assert set(limits) == {"cpus", "memory"}
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}


@pytest.mark.parametrize("service", OWN.values(), ids=OWN)
def test_own_containers_write_to_their_volume_only(service):
    assert service["read_only"] is True
    assert service["tmpfs"] == ["/tmp"]
    assert [mount.split(":")[1] for mount in service["volumes"]] == ["/state"]


@each_service
def test_mounts_exist(service):
    for mount in service["volumes"]:
        source, target, *options = mount.split(":")
        assert target.startswith("/")
        if source.startswith("."):
            assert (ROOT / source).is_file()
            assert options == ["ro"]
        else:
            assert source in COMPOSE["volumes"]


@each_service
def test_ports_are_for_this_machine(service):
    for port in service.get("ports", []):
        host, outside, inside = port.split(":")
        assert host == "127.0.0.1"
        assert outside == inside
    assert "ports" in service or not service["image"].startswith(("prom/", "grafana/"))


def test_the_journal_is_on_the_inner_network_only():
    assert SERVICES["postgres"]["networks"] == ["inside"]
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert "ports" not in SERVICES["postgres"]


@each_service
def test_what_must_be_healthy_has_a_check(service):
    for name, how in service.get("depends_on", {}).items():
        assert how == {"condition": "service_healthy"}
        check = SERVICES[name].get("healthcheck")
        if check is None:
            image = stages((ROOT / SERVICES[name]["build"]["dockerfile"]).read_text())[-1]
            assert image.one("HEALTHCHECK")
        else:
            assert check["test"][0] in ("CMD", "CMD-SHELL")


@each_service
def test_secrets_are_files_that_git_ignores(service):
    for name in service.get("secrets", []):
        file = COMPOSE["secrets"][name]["file"]
        assert file == f"secrets/{name}"
        assert "/secrets/" in (ROOT / ".gitignore").read_text().splitlines()
    named = {value for value in map(str, service.get("environment", {}).values()) if value.startswith("/run/secrets/")}
    assert named <= {f"/run/secrets/{name}" for name in service.get("secrets", [])}
    for name, value in service.get("environment", {}).items():
        assert not re.search("PASSWORD|TOKEN|SECRET|KEY", name) or name.endswith("_FILE"), name
        assert not re.search(r"://[^/@]*:[^/@]*@", str(value)), name


@pytest.mark.parametrize("name", SERVICES)
def test_every_variable_is_read_by_somebody(name):
    service = SERVICES[name]
    variables = {key: str(value) for key, value in service.get("environment", {}).items()}
    if name not in OWN:
        assert set(variables) == READ[name]
        return
    assert set(variables) <= {f"QUORATE_{key.upper().replace('.', '__')}" for key in known_keys()}
    load_settings(environment=variables)


def parse(command, words):
    """Parse a command line with the real command line's parser, without running it."""
    context = command.make_context("quorate", list(words))
    rest = [*context._protected_args, *context.args] if hasattr(context, "_protected_args") else context.args
    if not hasattr(command, "commands"):
        assert rest == []
        return context.params
    return parse(command.commands[rest[0]], rest[1:])


def test_commands_parse_and_agree():
    parsed = {name: parse(typer.main.get_command(app), service["command"]) for name, service in OWN.items()}
    bundles = (parsed["service"]["bundle"], parsed["paper"]["bundle"], parsed["retrain"]["bundles"])
    assert set(bundles) == {Path("/state/bundles")}
    assert {each["exchange"] for each in parsed.values()} == {"binanceusdm"}
    assert parsed["retrain"]["data"] == Path("/state/candles")
    assert parsed["retrain"]["now"] is False
    assert parsed["service"]["host"] is None, "the address is a setting"
    other = composition(EXCHANGE="bybit")["services"]
    for name in OWN:
        assert parse(typer.main.get_command(app), other[name]["command"])["exchange"] == "bybit"


def test_grafana_is_provisioned_where_it_looks():
    mounts = dict(mount.split(":")[:2] for mount in SERVICES["grafana"]["volumes"])
    folder = "./docker/service/grafana"
    assert mounts[f"{folder}/datasources.yml"].startswith("/etc/grafana/provisioning/datasources/")
    assert mounts[f"{folder}/dashboards.yml"].startswith("/etc/grafana/provisioning/dashboards/")
    (source,) = yaml.safe_load((ROOT / folder / "datasources.yml").read_text())["datasources"]
    assert source["url"] == "http://prometheus:9090"
    (provider,) = yaml.safe_load((ROOT / folder / "dashboards.yml").read_text())["providers"]
    dashboard = mounts[f"{folder}/quorate.json"]
    assert str(Path(dashboard).parent) == provider["options"]["path"]
    assert SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"] == dashboard


def test_prometheus_reads_the_service_with_its_own_token():
    config = yaml.safe_load((ROOT / "docker" / "service" / "prometheus.yml").read_text())
    (job,) = [job for job in config["scrape_configs"] if job["job_name"] == "quorate"]
    assert job["static_configs"] == [{"targets": ["service:8765"]}]
    assert job["authorization"]["credentials_file"] == "/run/secrets/monitor_token"
    assert "monitor_token" in SERVICES["prometheus"]["secrets"]
    assert "service_token" not in SERVICES["prometheus"]["secrets"]
    mounts = dict(mount.split(":")[:2] for mount in SERVICES["prometheus"]["volumes"])
    assert f"--config.file={mounts['./docker/service/prometheus.yml']}" in SERVICES["prometheus"]["command"]
    for file in config["rule_files"]:
        assert mounts[f"./docker/service/{file}"] == f"/etc/prometheus/{file}"


def test_the_commands_of_the_page_parse():
    page = (ROOT / "docs" / "containers.md").read_text()
    found = re.findall(r"^(?:docker compose exec \w+ )?quorate ([^\n]*)$", page, re.MULTILINE)
    assert len(found) >= 5
    for line in found:
        parse(typer.main.get_command(app), shlex.split(line))
    for name in re.findall(r"docker compose (?:exec|restart|cp|run [^\n]*--entrypoint \w+) (\w+)", page):
        assert name in SERVICES
    for name in COMPOSE["secrets"]:
        assert name in re.search(r"for name in (.*); do openssl", page)[1].split()
    rows = re.findall(r"^\| `(Quorate\w+)` \|", page, re.MULTILINE)
    rules = yaml.safe_load((ROOT / "docker" / "service" / "alerts.yml").read_text())["groups"][0]["rules"]
    assert rows == [rule["alert"] for rule in rules]
    parts = re.findall(r"^\| `([a-z]+)` \|", page, re.MULTILINE)
    assert set(parts) == set(SERVICES)
