const table = document.querySelector("#timing");

function show(name, entry) {
  const row = table.insertRow();
  const asked = Math.round(entry.requestStart || entry.startTime);
  const cells = [name, asked, Math.round(entry.responseEnd), entry.initiatorType];
  for (const text of cells) row.insertCell().textContent = text;
}

addEventListener("load", () => {
  show("the page", performance.getEntriesByType("navigation")[0]);
  for (const entry of performance.getEntriesByType("resource"))
    show(new URL(entry.name).pathname, entry);
});
