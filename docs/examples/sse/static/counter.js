const show = (id, text) => (document.getElementById(id).textContent = text);
const events = new EventSource(document.body.dataset.events);

let last = null;
let seen = 0;
let wrong = 0;
let opened = 0;

events.onopen = () => {
  opened += 1;
  show("state", "open");
  show("reconnected", opened - 1);
};

// The browser reconnects by itself and tells the server the id of the last event.
events.onerror = () => show("state", "reconnecting");

events.onmessage = (event) => {
  const step = Number(event.data);
  if (last !== null && step !== last + 1) wrong += 1;
  last = step;
  seen += 1;
  show("counter", step);
  show("seen", seen);
  show("wrong", wrong);
};
