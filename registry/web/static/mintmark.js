// What the page can do without: dropping and pasting a file, copying an answer.
"use strict";

const form = document.querySelector("[data-drop]");
if (form) {
  const input = form.querySelector("input[type=file]");
  const status = form.querySelector("[data-status]");
  for (const part of document.querySelectorAll(".scripted")) part.hidden = false;
  document.documentElement.classList.add("script");

  const send = () => {
    if (!input.files.length) return;
    status.textContent = `Looking for ${input.files[0].name} …`;
    form.classList.add("busy");
    form.requestSubmit();
  };
  const take = (files) => {
    const first = new DataTransfer();
    first.items.add(files[0]);
    input.files = first.files;
    send();
  };
  input.addEventListener("change", send);

  let depth = 0;
  const over = (event) => event.dataTransfer && [...event.dataTransfer.types].includes("Files");
  const show = (on) => document.body.classList.toggle("over", on);
  addEventListener("dragenter", (event) => { if (over(event)) { depth += 1; show(true); event.preventDefault(); } });
  addEventListener("dragleave", (event) => { if (over(event)) { depth -= 1; show(depth > 0); } });
  addEventListener("dragover", (event) => { if (over(event)) event.preventDefault(); });
  addEventListener("drop", (event) => {
    if (!over(event)) return;
    event.preventDefault();
    depth = 0;
    show(false);
    if (event.dataTransfer.files.length) take(event.dataTransfer.files);
  });
  addEventListener("paste", (event) => {
    if (event.clipboardData && event.clipboardData.files.length) take(event.clipboardData.files);
  });
  addEventListener("pageshow", () => { form.classList.remove("busy"); });
}

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) break;
  button.hidden = false;
  const before = button.textContent;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = "Copied";
    } catch {
      button.textContent = "The browser did not allow it";
    }
    setTimeout(() => { button.textContent = before; }, 2000);
  });
}
