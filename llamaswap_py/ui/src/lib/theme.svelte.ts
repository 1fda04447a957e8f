// Light, dark, or as the system has it. `public/theme.js` sets the same before anything is drawn.

export type Choice = "system" | "light" | "dark";
const KEY = "llamaswap.theme";
export const CHOICES: readonly Choice[] = ["system", "light", "dark"];

function kept(): Choice {
  try {
    const found = localStorage.getItem(KEY);
    return found === "light" || found === "dark" ? found : "system";
  } catch {
    return "system";
  }
}

class Theme {
  choice = $state<Choice>(kept());
  private readonly system = matchMedia("(prefers-color-scheme: dark)");
  private systemDark = $state(this.system.matches);
  /** What is seen now: for what is drawn on a canvas. */
  readonly dark = $derived(this.choice === "system" ? this.systemDark : this.choice === "dark");

  constructor() {
    this.system.addEventListener("change", (event) => (this.systemDark = event.matches));
  }

  choose(choice: Choice): void {
    this.choice = choice;
    if (choice === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = choice;
    try {
      if (choice === "system") localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, choice);
    } catch {
      // no storage: it holds until the page is closed
    }
  }
}

export const theme = new Theme();
