const POINTS = 60;
const state = document.querySelector("#state");
const panels = [...document.querySelectorAll("section")];
let history = [];

function draw() {
  for (const panel of panels) {
    const values = history.map((measurement) => measurement[panel.id]);
    const top = Math.max(...values, 0.001);
    const first = POINTS - values.length;
    const points = values.map((value, at) => `${first + at},${19 - (18 * value) / top}`);
    panel.querySelector("output").textContent = values.at(-1) ?? "–";
    panel.querySelector("polyline").setAttribute("points", points.join(" "));
  }
}

const events = new EventSource(document.body.dataset.events);
events.onopen = () => (state.textContent = "live");
events.onerror = () => (state.textContent = "reconnecting");

events.addEventListener("history", (event) => {
  history = JSON.parse(event.data);
  draw();
});

events.addEventListener("measurement", (event) => {
  history = [...history, JSON.parse(event.data)].slice(-POINTS);
  draw();
});
