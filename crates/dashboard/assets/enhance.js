// Improvements of the pages. Every page works without JavaScript.
(() => {
  "use strict";
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const one = (selector, root = document) => root.querySelector(selector);

  // Exact times in the reader's time zone, beside UTC.
  for (const time of all("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (!isNaN(at)) time.title = `${at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "long" })} · ${time.title}`;
  }

  // An open menu closes on a click elsewhere and on Escape.
  const menu = one("details.menu");
  if (menu) {
    document.addEventListener("click", (event) => { if (!menu.contains(event.target)) menu.open = false; });
    document.addEventListener("keydown", (event) => { if (event.key === "Escape" && menu.open) { menu.open = false; one("summary", menu).focus(); } });
  }

  // The code of a set-up, an invitation, an address or a new password is in the fragment of the link, which browsers do not send.
  const coded = one("[data-link-code]");
  if (coded) {
    const field = one("input", coded);
    const take = () => {
      const code = /^#([0-9a-f]{32}|nl[ier]_[0-9a-f]{64})$/.exec(location.hash);
      if (!code) return;
      field.value = code[1];
      coded.hidden = true;
      history.replaceState(null, "", location.pathname);
    };
    take();
    addEventListener("hashchange", take);
  }

  // A form is sent once, even if its button is pressed again; returning to the page enables it again.
  for (const form of all("form[method=post]")) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) { event.preventDefault(); return; }
      form.dataset.sent = "1";
      // What takes a while says so.
      const button = event.submitter;
      if (button && button.dataset.busy) { button.dataset.idle = button.textContent; button.textContent = button.dataset.busy; button.setAttribute("aria-busy", "true"); }
    });
  }
  window.addEventListener("pageshow", () => {
    for (const form of all("form")) delete form.dataset.sent;
    for (const button of all("[data-idle]")) { button.textContent = button.dataset.idle; delete button.dataset.idle; button.removeAttribute("aria-busy"); }
  });

  // The secret: a button copies it, leaving before copying asks first, and the page forgets it afterwards.
  const secret = one("[data-secret-page]");
  if (secret) {
    const field = one("[data-secret]", secret);
    const button = one("[data-copy]", secret);
    const said = one("[data-copied]", secret);
    let copied = false;
    const done = (text) => { copied = true; said.textContent = text; };
    const copy = async () => {
      try { await navigator.clipboard.writeText(field.value); done("Copied."); }
      catch { field.focus(); field.select(); said.textContent = "Press Ctrl+C, or ⌘C, to copy the selected text."; }
    };
    button.hidden = false;
    button.addEventListener("click", copy);
    document.addEventListener("copy", () => done("Copied."));
    const close = one("[data-close]", secret);
    if (close) {
      close.textContent = "Copy and close";
      close.addEventListener("click", async (event) => {
        event.preventDefault();
        if (!copied) await copy();
        if (copied || confirm("The secret could not be copied and is not shown again. Leave anyway?")) { copied = true; field.value = ""; location.replace(close.href); }
      });
    }
    for (const form of all("form", secret)) form.addEventListener("submit", () => { copied = true; });
    window.addEventListener("beforeunload", (event) => { if (!copied) event.preventDefault(); });
    window.addEventListener("pagehide", () => { field.value = ""; for (const pre of all("pre", secret)) pre.textContent = ""; });
    secret.addEventListener("copied", () => done("Copied the line."));
    // A reload shows the token instead of sending the form again.
    history.replaceState(null, "", secret.dataset.next);
  }

  // Lines to paste have a button each.
  for (const button of all("[data-copy-line]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const lines = one("pre", button.parentElement);
      try { await navigator.clipboard.writeText(lines.textContent); button.textContent = "Copied"; button.dispatchEvent(new Event("copied", { bubbles: true })); }
      catch { getSelection().selectAllChildren(lines); button.textContent = "Press Ctrl+C"; }
    });
  }

  // Content that changes is fetched again every few seconds while the page is visible, for a quarter of an hour.
  const live = all("[data-live]");
  if (live.length) {
    const until = Date.now() + 900000;
    const look = async () => {
      if (Date.now() > until) return;
      if (!document.hidden) {
        try {
          const answer = await fetch(location.href, { credentials: "same-origin", redirect: "error" });
          const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
          for (const part of live) {
            const found = one(`[data-live="${part.dataset.live}"]`, fresh);
            if (found && found.textContent !== part.textContent) part.replaceChildren(...found.childNodes);
          }
        } catch { /* The server is unreachable: try again later. */ }
      }
      setTimeout(look, 3000);
    };
    setTimeout(look, 3000);
  }

  // Scroll the navigation to the current section.
  const here = one(".side a[aria-current]");
  if (here) { const bar = here.closest(".side"); bar.scrollLeft = here.offsetLeft - (bar.clientWidth - here.clientWidth) / 2; }

  // The scope picker: search by name and description, and a list of the chosen scopes.
  const picker = one("[data-picker]");
  const boxes = picker ? all("input[name=scope]", picker) : [];
  const sentence = one("[data-sentence]");
  const showChosen = () => {
    const chosen = boxes.filter((box) => box.checked);
    const place = one("[data-picker-chosen]", picker);
    place.hidden = chosen.length === 0;
    place.replaceChildren(...chosen.map((box) => { const chip = document.createElement("span"); chip.className = "chip"; chip.textContent = box.value; return chip; }));
    const warnings = one("[data-warnings]");
    if (warnings) {
      const names = chosen.map((box) => box.value);
      const has = (name) => names.includes(name) || names.includes("admin") || names.includes(name.split(":")[0]);
      const lacking = chosen.map((box) => [box.value, (box.dataset.requires || "").split(", ").filter((name) => name && !has(name))]).filter(([, needs]) => needs.length);
      warnings.textContent = lacking.map(([name, needs]) => `${name} requires ${needs.join(", ")}: choose it as well.`).join(" ");
      warnings.hidden = lacking.length === 0;
    }
    if (!sentence) return;
    const clauses = chosen.slice(0, 4).map((box) => box.dataset.says.charAt(0).toLowerCase() + box.dataset.says.slice(1));
    if (chosen.length > 4) clauses.push(`${chosen.length - 4} more`);
    const what = clauses.length > 1 ? `${clauses.slice(0, -1).join("; ")}; and ${clauses.at(-1)}` : clauses[0];
    const ends = one("input[name=expires]:checked");
    const until = { "7d": ", for 7 days", "30d": ", for 30 days", "90d": ", for 90 days", "365d": ", for a year", never: ", until it is revoked", date: `, until ${one("#date").value || "the date above"}` }[ends ? ends.value : ""] || "";
    const from = one("#networks").value.trim() ? ", from the networks above." : ", from anywhere.";
    const bound = one("#project_id");
    const within = bound && bound.value ? `, in project ${bound.selectedOptions[0].textContent}` : "";
    sentence.textContent = what ? `May ${what}${within}${until}${from}` : "No permissions yet: choose at least one scope.";
  };
  if (picker) {
    const search = one("[data-picker-search]", picker);
    search.hidden = false;
    search.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
    search.addEventListener("input", () => {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      for (const group of all("fieldset", picker)) {
        let any = false;
        for (const scope of all(".scope", group)) {
          const text = scope.textContent.toLowerCase();
          scope.hidden = !words.every((word) => text.includes(word));
          scope.style.display = scope.hidden ? "none" : "";
          any ||= !scope.hidden;
        }
        group.hidden = !any;
      }
    });
    const preview = one("button[name=_preview]:not([formaction])");
    if (preview) preview.hidden = true;
    for (const note of all("[data-first-warning]")) note.hidden = true;
    (picker.closest("form") || picker).addEventListener("input", showChosen);
    showChosen();
  }

  // "Revoke selected" is shown when a token is selected.
  const bulk = one("[data-needs-selection]");
  if (bulk) {
    const picks = all("input[name=id]");
    const look = () => { const count = picks.filter((box) => box.checked).length; bulk.disabled = count === 0; bulk.textContent = count ? `Revoke ${count} selected…` : "Revoke selected…"; };
    document.addEventListener("change", look);
    window.addEventListener("pageshow", look);
    look();
  }
})();
