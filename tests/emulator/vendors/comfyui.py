"""ComfyUI: graphs of nodes that are queued, a history to ask, pictures under /view. Made from its published source."""

from emulator import media
from emulator.server import Reply, Request, Vendor

KNOWN = {"KSampler", "CheckpointLoaderSimple", "EmptyLatentImage", "CLIPTextEncode", "VAEDecode", "SaveImage",
         "LoadImage", "PreviewImage"}  # fmt: skip


class ComfyUI(Vendor):
    """Runs any graph of the nodes it knows; takes no key."""

    name = "comfyui"
    routes = (
        ("POST", "/prompt", "queue"),
        ("GET", "/history/{job}", "history"),
        ("GET", "/view", "view"),
    )

    def queue(self, request: Request) -> Reply:
        """Check a graph and queue it."""
        graph = (request.json or {}).get("prompt")
        if not graph:
            return _refused("no_prompt", "No prompt provided", {})
        unknown = [node for node in graph.values() if node["class_type"] not in KNOWN]
        if unknown:
            return _refused("missing_node_type", f"Node '{unknown[0]['class_type']}' not found.", {})
        if not any(node["class_type"] == "SaveImage" for node in graph.values()):
            return _refused("prompt_no_outputs", "Prompt has no outputs", {})
        loaders = {key: node for key, node in graph.items() if node["class_type"] == "CheckpointLoaderSimple"}
        for key, node in loaders.items():
            if not node["inputs"]["ckpt_name"].endswith(".safetensors"):
                told = {"type": "value_not_in_list", "message": "Value not in list", "details": "ckpt_name"}
                return _refused("prompt_outputs_failed_validation", "Prompt outputs failed validation", {key: [told]})
        self.charge(model=[node["inputs"]["ckpt_name"] for node in loaders.values()])
        job = self.new_job(graph=graph, failed=self.says("failed"))
        return Reply(200, {"prompt_id": job, "number": len(self.runs), "node_errors": {}})

    def history(self, request: Request) -> Reply:
        """Nothing until it is over, and nothing for a job that nobody knows."""
        job = request.groups["job"]
        if self.step(job) != "done":
            return Reply(200, {})
        state = self.jobs[job]
        if state["failed"] is not None:
            told = ["execution_error", {"prompt_id": job, "node_id": "3", "exception_message": "out of memory"}]
            status = {"status_str": "error", "completed": False, "messages": [["execution_start", {}], told]}
            return Reply(200, {job: {"prompt": [], "outputs": {}, "status": status, "meta": {}}})
        status = {"status_str": "success", "completed": True, "messages": [["execution_success", {"prompt_id": job}]]}
        outputs = {
            key: {"images": [{"filename": f"{job}_{n}.png", "subfolder": "", "type": "output"} for n in range(count)]}
            for key, count in self._saving(state["graph"])
        }
        outputs["99"] = {"images": [{"filename": "preview.png", "subfolder": "", "type": "temp"}]}
        return Reply(200, {job: {"prompt": [], "outputs": outputs, "status": status, "meta": {}}})

    def view(self, request: Request) -> Reply:
        """A picture by its name."""
        job, _, number = request.query["filename"][0].removesuffix(".png").rpartition("_")
        if job not in self.jobs or request.query["type"] != ["output"]:
            return Reply(404, None)
        made = {
            key: node["inputs"] for key, node in self.jobs[job]["graph"].items() if node["class_type"] != "SaveImage"
        }
        return Reply(200, media.png(made, number), {"content-type": "image/png"})

    def _saving(self, graph: dict) -> list[tuple[str, int]]:
        count = next((node["inputs"]["batch_size"] for node in graph.values() if "batch_size" in node["inputs"]), 1)
        return [(key, count) for key, node in graph.items() if node["class_type"] == "SaveImage"]


def _refused(kind: str, message: str, nodes: dict) -> Reply:
    error = {"type": kind, "message": message, "details": "", "extra_info": {}}
    return Reply(400, {"error": error, "node_errors": nodes})
