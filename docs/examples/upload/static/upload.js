const form = document.querySelector("#upload");
const progress = document.querySelector("#progress");
const status = document.querySelector("#status");
const result = document.querySelector("#result");

// XMLHttpRequest, as fetch tells nothing about how much has been sent.
function upload(file, onProgress) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("PUT", `files/${encodeURIComponent(file.name)}`);
    request.responseType = "json";
    request.upload.onprogress = ({ loaded, total }) => onProgress(loaded, total);
    request.onload = () => resolve({ code: request.status, ...request.response });
    request.onerror = () => resolve({ error: "The connection was lost." });
    request.send(file);
  });
}

function show(answer) {
  const { name, bytes, sha256 } = answer;
  for (const [term, text] of Object.entries({ name, bytes, "SHA-256": sha256 })) {
    const title = document.createElement("dt");
    const value = document.createElement("dd");
    title.textContent = term;
    value.textContent = text;
    result.append(title, value);
  }
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  result.replaceChildren();
  status.className = "";
  progress.hidden = false;
  progress.value = 0;
  const answer = await upload(form.elements.file.files[0], (loaded, total) => {
    progress.value = (100 * loaded) / total;
    status.textContent = `${Math.floor(progress.value)} %`;
  });
  button.disabled = false;
  if (answer.code === 201) {
    progress.value = 100;
    status.textContent = "100 %, done";
    show(answer);
  } else {
    progress.hidden = true;
    status.className = "error";
    status.textContent = `Refused: ${answer.error}`;
  }
});
