// Sets the chosen theme before anything is painted. Light, dark, or as the system has it.
(() => {
  const chosen = () => { try { return localStorage.getItem("spanledger-theme") || "auto"; } catch { return "auto"; } };
  const apply = (theme) => {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
  };
  apply(chosen());
  window.spanledgerTheme = {
    chosen,
    next() {
      const theme = { auto: "light", light: "dark", dark: "auto" }[chosen()];
      try { localStorage.setItem("spanledger-theme", theme); } catch { /* a private window: for this page only */ }
      apply(theme);
      return theme;
    },
  };
})();
