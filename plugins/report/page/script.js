"use strict";
(() => {
  const charts = JSON.parse(document.getElementById("charts").textContent);
  const grey = "rgba(128, 128, 128, .35)";
  const font = getComputedStyle(document.body).fontFamily;
  const text = { labelColor: "currentColor", titleColor: "currentColor", labelFont: font, titleFont: font };
  const config = {
    background: null,
    font,
    view: { stroke: null },
    axis: { ...text, domainColor: grey, tickColor: grey, gridColor: grey },
    axisX: { labelFlush: false, labelOverlap: true },
    axisY: { labelLimit: Math.min(320, innerWidth / 3) },
    legend: { ...text, columns: innerWidth < 500 ? 2 : 0, labelOverlap: true },
    text: { fill: "currentColor" },
  };
  const actions = false;
  const theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const drawn = [...document.querySelectorAll("[data-chart]")].map((place) =>
    vegaEmbed(place, charts[place.dataset.chart], { renderer: "svg", actions, config, tooltip: { theme } }),
  );
  Promise.all(drawn).then(
    () => { document.body.dataset.drawn = drawn.length; },
    (error) => { console.error(error); },
  );
  for (const input of document.querySelectorAll("[data-filter]")) {
    const rows = document.querySelectorAll(`[data-table="${input.dataset.filter}"] tbody tr`);
    input.addEventListener("input", () => {
      const wanted = input.value.toLowerCase();
      for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
    });
  }
  const closed = () => document.querySelectorAll("details:not([open])");
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...closed()];
    for (const details of opened) details.open = true;
  });
  addEventListener("afterprint", () => {
    for (const details of opened) details.open = false;
  });
})();
