// Reloads the page when another process of the development server answers.
(() => {
  const script = document.currentScript;
  const loaded = new URL(script.src).search.slice(1);
  const url = new URL("reload", script.src);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const shortest = 100;
  const longest = 3000;
  let wait = shortest;

  function reload(running) {
    // Once for each process: a cache may go on giving the page of the one before.
    const mark = `${running} ${location.href}`;
    try {
      if (sessionStorage.getItem("quart-reload") === mark) return;
      sessionStorage.setItem("quart-reload", mark);
    } catch {
      return; // Without storage a reload could follow another without end.
    }
    location.reload();
  }

  function connect() {
    const socket = new WebSocket(url);
    socket.onmessage = ({ data }) => {
      wait = shortest;
      if (data !== loaded) reload(data);
    };
    socket.onclose = () => {
      setTimeout(connect, wait);
      wait = Math.min(2 * wait, longest);
    };
  }

  connect();
})();
