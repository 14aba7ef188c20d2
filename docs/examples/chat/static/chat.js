const messages = document.querySelector("#messages");
const presence = document.querySelector("#presence");
const form = document.querySelector("#say");
const address = new URL("ws", location.href.replace(/^http/, "ws"));

let socket;

function connect() {
  socket = new WebSocket(address);
  socket.onmessage = (event) => receive(JSON.parse(event.data));
  socket.onclose = () => {
    presence.textContent = "connecting …";
    setTimeout(connect, 1000);
  };
}

function receive(message) {
  if ("present" in message) {
    const others = message.present - 1;
    presence.textContent = others ? `you and ${others} more` : "only you are here";
    return;
  }
  const item = document.createElement("li");
  const name = document.createElement("b");
  name.textContent = message.name;
  item.append(name, " ", message.text);
  item.classList.toggle("mine", message.name === form.elements.name.value.trim());
  messages.append(item);
  item.scrollIntoView();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (socket.readyState !== WebSocket.OPEN) return;
  const { name, text } = form.elements;
  socket.send(JSON.stringify({ name: name.value, text: text.value }));
  text.value = "";
});

connect();
