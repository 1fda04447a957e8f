// Which view is open: the part of the address behind the `#`, so that links survive a reload and can be shared.

import { hashOf, placeOf, type Place } from "./address";

class Route {
  place = $state.raw<Place>(placeOf(location.hash));

  constructor() {
    addEventListener("hashchange", () => (this.place = placeOf(location.hash)));
  }

  /** `instead`: the browser's way back does not lead here. For filters that change with every key. */
  go(view: string, rest = "", options: Record<string, string | undefined> = {}, instead = false): void {
    const hash = hashOf(view, rest, options);
    if (hash === location.hash) return;
    if (instead) {
      history.replaceState(null, "", hash);
      this.place = placeOf(hash);
    } else location.hash = hash;
  }

  /** Another value of one of the view's options, in place. */
  option(name: string, value: string | undefined): void {
    const { view, rest, options } = this.place;
    this.go(view, rest, { ...Object.fromEntries(options), [name]: value }, true);
  }
}

export const route = new Route();
