"""What an editor shows of a pipeline by its schema, asked of Tombi as an editor asks (the Language Server Protocol).

    pip install tombi==1.9.6
    python tests/editor_parity.py --kfood target/release/kfood --tombi .venv/bin/tombi

In a file whose first line names the schema of `kfood schema`: over a setting of a `train` table stand its sentence and its default, and on
an empty line of the table every other setting is offered. Exits with 1 if anything differs.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

PIPELINE = """#:schema ../docs/pipeline.schema.json

[train.net]
data = "pixels"
split = "holdout"
arch = "resnet18"
epochs = 4
batch_size = 16
optimizer.adamw = { lr = 0.001 }

"""


class Editor:
    """A server that is told of one file."""

    def __init__(self, tombi, root, file):
        quiet = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        self.server = subprocess.Popen([tombi, "lsp", "--offline"], cwd=root, **quiet)
        # A server that never answers ends, and the test with it.
        self.end = threading.Timer(60, self.server.kill)
        self.end.daemon = True
        self.end.start()
        self.asked, self.file = 0, {"uri": file.as_uri()}
        self.ask("initialize", processId=None, rootUri=root.as_uri(), capabilities={}, workspaceFolders=[{"uri": root.as_uri(), "name": "project"}])
        self.send({"method": "initialized", "params": {}})
        text = {"languageId": "toml", "version": 1, "text": file.read_text(encoding="utf-8")}
        self.send({"method": "textDocument/didOpen", "params": {"textDocument": self.file | text}})

    def send(self, message):
        body = json.dumps({"jsonrpc": "2.0"} | message).encode()
        self.server.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.server.stdin.flush()

    def message(self):
        length = 0
        while (line := self.server.stdout.readline().strip()) or not length:
            if not line and self.server.poll() is not None:
                raise SystemExit("the server has ended")
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        return json.loads(self.server.stdout.read(length))

    def ask(self, method, **params):
        self.asked += 1
        self.send({"id": self.asked, "method": method, "params": params})
        while True:
            message = self.message()
            if "method" in message and "id" in message:
                # It asks for settings of the editor, which has none.
                self.send({"id": message["id"], "result": None})
            elif message.get("id") == self.asked:
                return message["result"]

    def at(self, what, line, character):
        return self.ask(f"textDocument/{what}", textDocument=self.file, position={"line": line, "character": character})

    def over(self, line):
        """What is shown over the first word of a line, once the server has read the schema, which it then names."""
        while "pipeline.schema.json" not in (found := (self.at("hover", line, 2) or {}).get("contents", {}).get("value", "")):
            time.sleep(0.2)
        return found

    def close(self):
        self.end.cancel()
        self.server.kill()
        self.server.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kfood", required=True, type=pathlib.Path)
    parser.add_argument("--tombi", required=True, type=pathlib.Path)
    options = parser.parse_args()
    schema = subprocess.run([options.kfood, "schema"], check=True, capture_output=True, text=True).stdout
    settings = json.loads(schema)["definitions"]["train"]["properties"]
    lines = PIPELINE.splitlines()
    with tempfile.TemporaryDirectory() as place:
        root = pathlib.Path(place).resolve()
        for name, text in (("docs/pipeline.schema.json", schema), ("pipelines/first.toml", PIPELINE), ("tombi.toml", "")):
            (root / name).parent.mkdir(exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        editor = Editor(options.tombi.resolve(), root, root / "pipelines" / "first.toml")
        shown = {name: editor.over(lines.index(line)) for line in lines if (name := line.split(" ")[0]) in settings}
        found = editor.at("completion", len(lines) - 1, 0)
        editor.close()
    good = len(shown) == 5
    for name, text in shown.items():
        sentence = settings[name]["description"].split("\n")[0]
        good &= report(sentence in text, f"over `{name}`: {sentence}")
    good &= report("Default: `32`" in shown["batch_size"], "the default of `batch_size`")
    offered = {item["label"] for item in (found if isinstance(found, list) else found["items"])}
    missing = settings.keys() - shown.keys() - offered
    good &= report(not missing, f"{len(offered)} settings are offered on an empty line, and {sorted(missing)} not")
    sys.exit(0 if good else 1)


def report(good, text):
    print("ok   " if good else "WRONG", text, flush=True)
    return good


if __name__ == "__main__":
    main()
