// Compares the phone's position with a district's rectangle. It sends nothing: the page's policy forbids connections.
"use strict";
const result = document.getElementById("result");
const button = document.getElementById("compare");
const KM_PER_DEGREE = 111.2;
const ROUGH_KM = 20;

function kilometresOutside({ latitude, longitude }) {
  const [west, south, east, north] = result.dataset.box.split(",").map(Number);
  const x = Math.max(west - longitude, 0, longitude - east) * Math.cos((latitude * Math.PI) / 180);
  const y = Math.max(south - latitude, 0, latitude - north);
  return Math.hypot(x, y) * KM_PER_DEGREE;
}

function verdict(coords) {
  const rough = coords.accuracy / 1000;
  const away = kilometresOutside(coords);
  if (rough > ROUGH_KM) return ["unsure", away];
  return [away - rough <= Number(result.dataset.margin) ? "inside" : "outside", away];
}

function show(name, kilometres = 0) {
  result.textContent = result.dataset[name].replace("{km}", String(Math.max(1, Math.round(kilometres))));
  result.className = `result ${name}`;
}

if (navigator.geolocation) {
  button.hidden = false;
  button.addEventListener("click", () => {
    show("waiting");
    navigator.geolocation.getCurrentPosition(
      (position) => show(...verdict(position.coords)),
      () => show("denied"),
      { timeout: 20000, maximumAge: 60000 },
    );
  });
}
