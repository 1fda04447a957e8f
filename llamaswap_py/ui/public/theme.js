// Before anything is drawn, so that a dark page never begins with a white flash.
try {
  const theme = localStorage.getItem("llamaswap.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // no storage: the system's theme it is
}
