// Sends the form with the code from the link's fragment, and shows what the service says beside the field it concerns.
"use strict";

const form = document.getElementById("setup");
const code = location.hash.slice(1);
history.replaceState(null, "", location.pathname);

// The link opened where this page is open already changes the fragment alone.
addEventListener("hashchange", () => location.reload());

if (code === "") {
  form.hidden = true;
  document.getElementById("no-code").hidden = false;
}

function show(problems) {
  for (const field of ["organization", "name", "email", "password"]) {
    document.getElementById(field + "-problem").textContent = problems[field] || "";
    document.getElementById(field).setAttribute("aria-invalid", String(field in problems));
  }
  document.getElementById("problem").textContent = problems[""] || "";
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  show({});
  const body = Object.fromEntries(new FormData(form));
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    const response = await fetch("/v1/setup", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ code, ...body }),
    });
    const answer = await response.json();
    if (!response.ok) {
      show({ [document.getElementById(answer.field || "-") ? answer.field : ""]: answer.message });
      return;
    }
    form.hidden = true;
    document.getElementById("org-id").textContent = answer.org_id;
    document.getElementById("next").textContent =
      "curl " + location.origin + "/v1/sessions \\\n" +
      "  -d '" + JSON.stringify({ email: body.email, password: "…" }) + "'";
    const done = document.getElementById("done");
    done.hidden = false;
    done.focus();
  } catch {
    show({ "": "The server could not be reached. Try again." });
  } finally {
    button.disabled = false;
  }
});
