const list = document.querySelector("#news");
const form = document.querySelector("#publish");
const pause = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

async function poll(after) {
  const response = await fetch(`news?after=${after}`);
  if (!response.ok) throw new Error(response.statusText);
  const { news, last } = await response.json();
  for (const { text } of news) {
    const item = document.createElement("li");
    item.textContent = text;
    list.prepend(item);
  }
  return last;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form));
  form.reset();
  await fetch("news", { method: "POST", body });
});

// Each answer is followed by the next question.
for (let last = 0; ; ) {
  try {
    last = await poll(last);
  } catch {
    await pause(2);
  }
}
