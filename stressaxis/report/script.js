"use strict";
(function () {
  const views = [];
  let chosen = "";

  function choose(subject) {
    chosen = subject;
    const box = document.getElementById("find");
    if (box && box.value !== subject) box.value = subject;
    for (const view of views) show(view);
    for (const mouse of document.querySelectorAll("svg.mouse")) {
      mouse.classList.toggle("chosen", subject !== "" && mouse.dataset.subject === subject);
    }
  }

  function show(view) {
    try {
      view.signal("chosen", chosen).runAsync();
    } catch {
      // A figure without single animals has no such signal.
    }
  }

  // Each static picture becomes interactive when it comes into sight; until then, and in print, it is plain SVG.
  async function enliven(picture) {
    const source = document.getElementById(picture.dataset.spec);
    if (!source || !window.vegaEmbed) return;
    const place = document.createElement("div");
    const options = { actions: false, renderer: "svg", tooltip: { theme: "light" } };
    const { view } = await window.vegaEmbed(place, JSON.parse(source.textContent), options);
    picture.replaceChildren(place);
    view.addEventListener("click", (event, item) => {
      const subject = item && item.datum && item.datum.subject;
      if (subject !== undefined && subject !== null) choose(subject === chosen ? "" : String(subject));
    });
    views.push(view);
    if (chosen) show(view);
  }

  const watcher = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        watcher.unobserve(entry.target);
        enliven(entry.target);
      }
    },
    { rootMargin: "200px" },
  );
  for (const picture of document.querySelectorAll(".picture")) watcher.observe(picture);

  const box = document.getElementById("find");
  if (box) box.addEventListener("input", () => choose(box.value.trim()));

  for (const input of document.querySelectorAll(".filter input")) {
    const rows = [...input.closest(".table").querySelectorAll("tbody tr")];
    input.addEventListener("input", () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      for (const row of rows) {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
      }
    });
  }

  // Printed pages show what is folded away on the screen, but for long listings.
  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("#fig-trajectories details:not([open])")];
    for (const part of opened) part.open = true;
  });
  window.addEventListener("afterprint", () => {
    for (const part of opened) part.open = false;
  });
})();
