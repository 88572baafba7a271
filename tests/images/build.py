#!/usr/bin/env python3
"""Builds the images of `images.toml` as OCI layout directories, without a container engine, a registry or a Dockerfile.

What it is: a base file system from Debian packages (mmdebstrap) or none, packages from PyPI (pip), C programs (gcc) and files
of this folder, each written as a layer with fixed times and owners, so that the same definition gives the same digests.
What it is not: a way to build an image for anything but the tests. `hostile.py` writes the layers that no builder would.

    build.py [--into FOLDER] [NAME…]     builds what is missing; prints {name: path} as JSON

Start with `Workshop.image`. Python 3.11 or newer, standard library only; root, because mmdebstrap is run as root.
"""

import argparse
import fcntl
import gzip
import hashlib
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib

import hostile

HERE = pathlib.Path(__file__).resolve().parent
# Part of every key: raise it when what is written changes.
FORMAT = 3
# 2025-10-18T03:00:00Z, the time of every entry.
TIME = 1760756400
SITE = "usr/local/lib/python3.11/dist-packages"
# What this script reads of an image's definition; anything else is a slip of the pen.
MEMBERS = {
    "name", "what", "architecture", "program_architecture", "base", "site", "agent", "files", "texts", "links", "folders", "modes",
    "owners", "programs", "pad_layers", "hostile", "config", "shape", "expect", "slow", "why",
    "findings", "refused",
}


class Layer:
    """A tar file in the making: sorted by nobody but the caller, equal times everywhere."""

    def __init__(self, stream):
        self.tar = tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT)

    def add(self, path, kind=tarfile.REGTYPE, content=b"", mode=0o644, owner=0, link=""):
        entry = tarfile.TarInfo(path.lstrip("/"))
        entry.type, entry.mode, entry.uid, entry.gid = kind, mode, owner, owner
        entry.mtime, entry.linkname, entry.size = TIME, link, len(content)
        self.tar.addfile(entry, io.BytesIO(content))

    def folder(self, path, mode=0o755, owner=0):
        self.add(path.rstrip("/") + "/", tarfile.DIRTYPE, mode=mode, owner=owner)

    def link(self, path, target):
        self.add(path, tarfile.SYMTYPE, link=target, mode=0o777)

    def close(self):
        self.tar.close()


class Workshop:
    """The folder of what is built: blobs by digest, layers by key, images by name."""

    def __init__(self, root, definitions):
        self.root = root
        self.definitions = definitions
        for name in ("blobs", "layers", "images", "parts"):
            (root / name).mkdir(parents=True, exist_ok=True)

    # Layers.

    def layer(self, key, write):
        """A layer by the key of what is in it; `write` puts the tar (uncompressed) or, for hostile ones, the blob."""
        note = self.root / "layers" / f"{key}.json"
        if note.exists():
            layer = json.loads(note.read_text())
            if (self.root / "blobs" / layer["digest"]).exists():
                return layer
        with tempfile.NamedTemporaryFile(dir=self.root / "blobs", delete=False) as blob:
            compressed, plain = Digest(blob), hashlib.sha256()
            with gzip.GzipFile(filename="", mode="wb", compresslevel=1, fileobj=compressed, mtime=0) as stream:
                write(Digest(stream, plain))
        layer = {"digest": compressed.hex(), "size": compressed.size, "diff_id": plain.hexdigest()}
        os.replace(blob.name, self.root / "blobs" / layer["digest"])
        write_text(note, json.dumps(layer))
        return layer

    def raw_layer(self, key, make):
        """A layer whose bytes, diff id and all come from elsewhere."""
        note = self.root / "layers" / f"{key}.json"
        if note.exists():
            layer = json.loads(note.read_text())
            if (self.root / "blobs" / layer["digest"]).exists():
                return layer
        with tempfile.NamedTemporaryFile(dir=self.root / "blobs", delete=False) as blob:
            out = Digest(blob)
            diff_id = make(out)
        layer = {"digest": out.hex(), "size": out.size, "diff_id": diff_id}
        os.replace(blob.name, self.root / "blobs" / layer["digest"])
        write_text(note, json.dumps(layer))
        return layer

    def base(self, name):
        """Debian packages, unpacked and not configured, without what no image needs."""
        base = self.definitions["bases"][name]

        def write(stream):
            with tempfile.NamedTemporaryFile(suffix=".tar") as plain:
                run(
                    "mmdebstrap", "--quiet", "--variant=extract", f"--architectures={base['architecture']}",
                    f"--include={','.join(base['packages'])}", base["suite"], plain.name,
                )
                kept = Layer(stream)
                with tarfile.open(plain.name) as tar:
                    for entry in sorted(tar.getmembers(), key=lambda entry: entry.name):
                        path = entry.name.removeprefix(".").lstrip("/")
                        if not path or entry.ischr() or entry.isblk() or entry.isfifo():
                            continue
                        if any(path == left_out or path.startswith(f"{left_out}/") for left_out in base["without"]):
                            continue
                        entry.name, entry.mtime, entry.uname, entry.gname = path, TIME, "", ""
                        entry.pax_headers = {}
                        if entry.islnk():
                            entry.linkname = entry.linkname.removeprefix("./")
                        kept.tar.addfile(entry, tar.extractfile(entry) if entry.isreg() else None)
                kept.close()

        return self.layer(key_of("base", base), write)

    def system(self):
        """What the packages' scripts would have made: users, /tmp."""

        def write(stream):
            layer = Layer(stream)
            for path, content in sorted(self.definitions["system"].items()):
                layer.add(path, content=content.encode())
            layer.folder("root", 0o700)
            layer.folder("tmp", 0o1777)
            layer.close()

        return self.layer(key_of("system", self.definitions["system"]), write)

    def site(self, name):
        """Wheels from PyPI, as pip unpacks them for the image's interpreter and platform."""
        site = self.definitions["sites"][name]
        pins = (HERE / "requirements" / site["requirements"]).read_text()

        def write(stream):
            with tempfile.TemporaryDirectory() as folder:
                platforms = [f"--platform={platform}" for platform in site["platforms"]]
                run(
                    sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
                    "--no-compile", "--root-user-action=ignore", "--only-binary=:all:", "--python-version=3.11",
                    "--implementation=cp", "--abi=cp311", "--abi=abi3", "--abi=none", *platforms,
                    f"--target={folder}", f"--requirement={HERE / 'requirements' / site['requirements']}",
                )
                layer = Layer(stream)
                for path in sorted(pathlib.Path(folder).rglob("*")):
                    inside = f"{SITE}/{path.relative_to(folder)}"
                    if path.is_dir():
                        layer.folder(inside)
                    else:
                        content = path.read_bytes()
                        # Scripts name the interpreter that pip ran with.
                        if path.parent.name == "bin" and content.startswith(b"#!"):
                            content = b"#!/usr/bin/python3\n" + content.split(b"\n", 1)[1]
                        layer.add(inside, content=content, mode=0o755 if os.access(path, os.X_OK) else 0o644)
                layer.close()

        return self.layer(key_of("site", site, pins), write)

    def program(self, name, architecture):
        """A C program; static, unless its name begins with `dynamic:`."""
        dynamic, name = name.startswith("dynamic:"), name.removeprefix("dynamic:")
        source = HERE / "programs" / f"{name}.c"
        made = self.root / "parts" / key_of("program", name, dynamic, architecture, source.read_text())
        if not made.exists():
            compiler = self.definitions["compilers"][architecture]
            run(*compiler, *([] if dynamic else ["-static"]), "-O2", "-s", "-o", f"{made}.new", str(source), "-lpthread")
            os.replace(f"{made}.new", made)
        return made.read_bytes()

    def own(self, image):
        """The image's own files."""
        modes, owners = image.get("modes", {}), image.get("owners", {})
        entries = {}
        for path, source in image.get("files", {}).items():
            source = HERE / source
            for file in sorted(source.rglob("*")) if source.is_dir() else [source]:
                if file.is_file() and "__pycache__" not in file.parts:
                    inside = f"{path}/{file.relative_to(source)}" if source.is_dir() else path
                    entries[inside] = file.read_bytes()
        entries |= {path: text.encode() for path, text in image.get("texts", {}).items()}
        architecture = image.get("program_architecture", image.get("architecture", "amd64"))
        for path, name in image.get("programs", {}).items():
            entries[path] = self.program(name, architecture)
            modes = {path: "755", **modes}
        parts = {path: hashlib.sha256(content).hexdigest() for path, content in entries.items()}
        links, folders = image.get("links", {}), image.get("folders", [])

        def write(stream):
            layer = Layer(stream)
            for path in sorted(folders_of([*entries, *links]) | set(folders)):
                layer.folder(path, int(modes.get(path, "755"), 8), owners.get(path, 0))
            for path, content in sorted(entries.items()):
                layer.add(path, content=content, mode=int(modes.get(path, "644"), 8), owner=owners.get(path, 0))
            for path, target in sorted(links.items()):
                layer.link(path, target)
            layer.close()

        return self.layer(key_of("own", parts, links, folders, modes, owners), write)

    # Images.

    def image(self, image):
        """An OCI layout directory with one image, and where it is."""
        unknown = set(image) - MEMBERS
        if unknown:
            raise SystemExit(f"images.toml: {image['name']}: unknown members {sorted(unknown)}")
        layers = []
        if base := image.get("base"):
            layers += [self.base(base), self.system()]
        if site := image.get("site"):
            layers.append(self.site(site))
        image = with_agent(image)
        layers.append(self.own(image))
        for number in range(image.get("pad_layers", 0)):
            layers.append(self.layer(key_of("pad", number), lambda stream, number=number: pad(stream, number)))
        if name := image.get("hostile"):
            source = (HERE / "hostile.py").read_text()
            layers.append(self.raw_layer(key_of("hostile", name, source), hostile.LAYERS[name]))
        config = {
            "created": "2025-10-18T03:05:54Z",
            "architecture": image.get("architecture", "amd64"),
            "os": "linux",
            "config": config_of(image),
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer['diff_id']}" for layer in layers]},
            "history": [{"created": "2025-10-18T03:05:54Z", "created_by": "tests/images/build.py"} for _ in layers],
        }
        if config["architecture"] == "arm64":
            config["variant"] = "v8"
        place = self.root / "images" / f"{image['name']}-{key_of(config, image.get('shape', 'image'))[:12]}"
        if not (place / "index.json").exists():
            self.layout(place, config, layers, image.get("shape", "image"))
        return place

    def layout(self, place, config, layers, shape):
        shutil.rmtree(place, ignore_errors=True)
        fresh = pathlib.Path(tempfile.mkdtemp(dir=self.root / "images"))
        os.chmod(fresh, 0o755)
        blobs = fresh / "blobs" / "sha256"
        blobs.mkdir(parents=True)

        def put(document):
            content = json.dumps(document, separators=(",", ":")).encode()
            digest = hashlib.sha256(content).hexdigest()
            (blobs / digest).write_bytes(content)
            return {"digest": f"sha256:{digest}", "size": len(content)}

        for layer in layers:
            if not (blobs / layer["digest"]).exists():
                os.link(self.root / "blobs" / layer["digest"], blobs / layer["digest"])
        docker = shape == "docker"
        kinds = DOCKER_KINDS if docker else OCI_KINDS
        manifest = {
            "schemaVersion": 2,
            "mediaType": kinds["manifest"],
            "config": {"mediaType": kinds["config"], **put(config)},
            "layers": [
                {"mediaType": kinds["layer"], "digest": f"sha256:{layer['digest']}", "size": layer["size"]}
                for layer in layers
            ],
        }
        platform = {"architecture": config["architecture"], "os": "linux"}
        entry = {"mediaType": kinds["manifest"], **put(manifest), "platform": platform}
        if shape == "attestation":
            entry = attested(entry, put)
        (fresh / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
        index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [entry]}
        (fresh / "index.json").write_text(json.dumps(index))
        os.replace(fresh, place)


OCI_KINDS = {
    "manifest": "application/vnd.oci.image.manifest.v1+json",
    "config": "application/vnd.oci.image.config.v1+json",
    "layer": "application/vnd.oci.image.layer.v1.tar+gzip",
}
DOCKER_KINDS = {
    "manifest": "application/vnd.docker.distribution.manifest.v2+json",
    "config": "application/vnd.docker.container.image.v1+json",
    "layer": "application/vnd.docker.image.rootfs.diff.tar.gzip",
}


class Digest:
    """A stream that hashes what passes."""

    def __init__(self, stream, digest=None):
        self.stream, self.digest, self.size = stream, digest or hashlib.sha256(), 0

    def write(self, content):
        self.digest.update(content)
        self.size += len(content)
        return self.stream.write(content)

    def tell(self):
        return self.size

    def flush(self):
        self.stream.flush()

    def hex(self):
        return self.digest.hexdigest()


def attested(entry, put):
    """The index that docker buildx writes with provenance: the image, and an entry of no platform that attests it."""
    statement = put({"_type": "https://in-toto.io/Statement/v0.1", "predicateType": "https://slsa.dev/provenance/v0.2"})
    nothing = put({"architecture": "unknown", "os": "unknown", "config": {}, "rootfs": {"type": "layers", "diff_ids": []}})
    attestation = put({
        "schemaVersion": 2,
        "mediaType": OCI_KINDS["manifest"],
        "config": {"mediaType": OCI_KINDS["config"], **nothing},
        "layers": [{"mediaType": "application/vnd.in-toto+json", **statement}],
    })
    index = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [entry, {
            "mediaType": OCI_KINDS["manifest"],
            **attestation,
            "platform": {"architecture": "unknown", "os": "unknown"},
            "annotations": {
                "vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": entry["digest"],
            },
        }],
    }
    return {"mediaType": index["mediaType"], **put(index)}


def pad(stream, number):
    layer = Layer(stream)
    layer.add(f"var/lib/pad/{number}", content=f"{number}\n".encode())
    layer.close()


def with_agent(image):
    """`agent = "x"` is short for the source of an agent of the matrix and the server that it builds on."""
    if agent := image.get("agent"):
        files = {"/app/agent.py": f"agents/{agent}.py", "/app/web.py": "agents/web.py", **image.get("files", {})}
        return {**image, "files": files}
    return image


def config_of(image):
    config = {}
    if image.get("agent"):
        config = {
            "User": "1000", "WorkingDir": "/app", "Cmd": ["python3", "agent.py"], "ExposedPorts": ["8080/tcp"],
            "Env": ["PATH=/usr/local/bin:/usr/bin:/bin", "PYTHONUNBUFFERED=1"],
        }
    config |= image.get("config", {})
    config["ExposedPorts"] = {port: {} for port in config.get("ExposedPorts", [])}
    return {name: value for name, value in config.items() if value not in ([], {}, "")}


def folders_of(paths):
    folders = set()
    for path in paths:
        folders.update(str(parent) for parent in pathlib.PurePosixPath(path).parents if str(parent) != "/")
    return folders


def key_of(*parts):
    return hashlib.sha256(json.dumps([FORMAT, *parts], sort_keys=True).encode()).hexdigest()


def write_text(path, text):
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(text)
    os.replace(fresh, path)


def run(*words):
    """A program, silent unless it fails."""
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(words[:3])} … failed with {done.returncode}:\n{done.stdout}{done.stderr}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--into", type=pathlib.Path, default=HERE.parents[1] / "target" / "images")
    parser.add_argument("names", nargs="*", metavar="NAME", help="images of images.toml; all by default")
    given = parser.parse_args()
    definitions = tomllib.loads((HERE / "images.toml").read_text())
    images = {image["name"]: image for image in definitions["image"]}
    missing = set(given.names) - set(images)
    if missing:
        raise SystemExit(f"images.toml has no {', '.join(sorted(missing))}")
    given.into.mkdir(parents=True, exist_ok=True)
    # Tests run in processes of their own, and want the same images at the same time.
    with open(given.into / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        workshop = Workshop(given.into.resolve(), definitions)
        built = {name: str(workshop.image(images[name])) for name in given.names or images}
    json.dump(built, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
