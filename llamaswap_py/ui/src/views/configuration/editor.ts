// The editor for YAML: what it knows of keys comes from the server's schema, what it underlines from the server's check.

import { acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, type CompletionContext, type CompletionResult } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { HighlightStyle, bracketMatching, foldGutter, foldKeymap, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, lintKeymap, setDiagnostics, type Diagnostic } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, type Text } from "@codemirror/state";
import { EditorView, drawSelection, highlightActiveLine, hoverTooltip, keymap, lineNumbers, type Tooltip } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import type { Mistake } from "../../lib/shapes";
import { keyAt, placeAt, siblings } from "./place";
import { defaultOf, keysOf, kindOf, under, wordsOf, type Known, type Schema } from "./schema";

export interface Knowledge {
  schema: Schema | undefined;
  /** Ids that can be named where models are. */
  models: () => string[];
}

export interface Marked extends Mistake {
  severity: "error" | "warning";
}

/** Keys whose values are models' ids, by the end of their path. */
const MODELS = new Set(["members/-", "preload/-", "models/-", "targets/-"]);
const MACROS = ["PORT", "MODEL_ID", "PID", "llama_server", "env."];

function linesOf(text: Text): string[] {
  return text.toJSON();
}

export function complete(context: CompletionContext, known: Knowledge): CompletionResult | null {
  const line = context.state.doc.lineAt(context.pos);
  const column = context.pos - line.from;
  const macro = /\$\{([\w.-]*)$/.exec(line.text.slice(0, column));
  const lines = linesOf(context.state.doc);
  if (macro) return { from: context.pos - macro[1]!.length, options: macros(lines), validFor: /^[\w.-]*$/ };
  const place = placeAt(lines, line.number - 1, column);
  if (place.part === "text" || (!place.word && !context.explicit && place.part === "value")) return null;
  if (!place.word && !context.explicit) return null;
  const section = under(known.schema, place.path);
  const from = line.from + place.from;
  if (place.part === "key") {
    const taken = new Set(siblings(lines, line.number - 1));
    const options = keysOf(section).filter((key) => !taken.has(key.name)).map((key) => keyOption(key, place.from));
    return options.length ? { from, options, validFor: /^[\w.-]*$/ } : null;
  }
  const schema = place.key ? under(section, [place.key]) : section;
  const steps = [...place.path, ...(place.key ? [place.key] : [])];
  const words = MODELS.has(steps.slice(-2).join("/")) ? known.models() : wordsOf(schema);
  const options = words.map((label) => ({ label, type: "constant" }));
  if (place.part === "value" && !place.key) options.push(...keysOf(section).map((key) => keyOption(key, place.from)));
  return options.length ? { from, options, validFor: /^[^\s]*$/ } : null;
}

function keyOption(key: Known, column: number) {
  const below = `\n${" ".repeat(column + 2)}`;
  const rest = { value: ": ", block: `:${below}`, list: `:${below}- ` }[key.opens];
  return { label: key.name, type: "property", detail: key.kind, info: key.about, apply: key.name + rest };
}

function macros(lines: string[]) {
  const own = new Set<string>();
  lines.forEach((text, i) => {
    const found = keyAt(lines, i, text.length - text.trimStart().length);
    if (found && found.path.at(-2) === "macros") own.add(found.path.at(-1)!);
  });
  return [...own, ...MACROS].map((label) => ({
    label,
    type: "variable",
    apply: (view: EditorView, _: unknown, from: number, to: number) => {
      const isClosed = view.state.sliceDoc(to, to + 1) === "}";
      const insert = label.endsWith(".") || isClosed ? label : `${label}}`;
      const anchor = from + insert.length + (isClosed && !label.endsWith(".") ? 1 : 0);
      view.dispatch({ changes: { from, to, insert }, selection: { anchor } });
    },
  }));
}

function hover(known: Knowledge) {
  return hoverTooltip((view, pos): Tooltip | null => {
    const line = view.state.doc.lineAt(pos);
    const key = keyAt(linesOf(view.state.doc), line.number - 1, pos - line.from);
    const schema = key && under(known.schema, key.path);
    if (!key || !schema?.description) return null;
    return { pos: line.from + key.from, end: line.from + key.to, above: true, create: () => ({ dom: described(key.path, schema) }) };
  });
}

function described(path: readonly string[], schema: Schema): HTMLElement {
  const dom = document.createElement("div");
  dom.className = "about-key";
  const put = (tag: string, text: string) => text && dom.appendChild(Object.assign(document.createElement(tag), { textContent: text }));
  put("code", path.filter((step) => step !== "-").join("."));
  put("p", schema.description ?? "");
  const start = defaultOf(schema);
  put("small", [kindOf(schema), start && `default: ${start}`].filter(Boolean).join(" · "));
  return dom;
}

const COLOURS = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--accent)" },
  { tag: tags.comment, color: "var(--soft)", fontStyle: "italic" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--series-3)" },
  { tag: [tags.number, tags.bool, tags.null, tags.keyword], color: "var(--series-2)" },
  { tag: [tags.meta, tags.labelName, tags.typeName], color: "var(--series-4)" },
  { tag: [tags.punctuation, tags.separator], color: "var(--soft)" },
]);

const LOOK = EditorView.theme({
  "&": { height: "100%", color: "var(--code-ink)", backgroundColor: "var(--code)", fontSize: "var(--small)" },
  "&.cm-focused": { outline: "none" }, // the sheet around it shows it
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55" },
  ".cm-gutters": { backgroundColor: "var(--code)", color: "var(--soft)", borderRight: "1px solid var(--line)" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in oklab, var(--accent-soft) 55%, transparent)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)", borderLeftWidth: "2px" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "color-mix(in oklab, var(--accent) 30%, transparent)",
  },
  ".cm-selectionMatch": { backgroundColor: "var(--busy-soft)" },
  ".cm-foldPlaceholder": { backgroundColor: "var(--sunken)", border: "1px solid var(--line)", color: "var(--soft)" },
  ".cm-matchingBracket, &.cm-focused .cm-matchingBracket": { backgroundColor: "var(--accent-soft)", outline: "1px solid var(--accent)" },
  ".cm-tooltip": { backgroundColor: "var(--raised)", color: "var(--ink)", border: "1px solid var(--line)", borderRadius: "var(--radius-small)", boxShadow: "var(--shadow)", maxWidth: "min(28rem, 90vw)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", maxHeight: "16rem" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "0.2rem 0.5rem" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--accent)", color: "var(--on-accent)" },
  ".cm-completionDetail": { color: "inherit", opacity: "0.75", marginLeft: "0.75em" },
  ".cm-completionInfo": { padding: "0.4rem 0.6rem", fontFamily: "var(--font)", fontSize: "var(--small)" },
  // On a phone: no room beside the list, and none to lose beside the text.
  ".cm-completionInfo.cm-completionInfo-right-narrow, .cm-completionInfo.cm-completionInfo-left-narrow": { display: "none" },
  "@media (max-width: 560px)": { ".cm-foldGutter": { display: "none !important" } },
  ".cm-diagnostic": { padding: "0.35rem 0.6rem", fontFamily: "var(--font)", whiteSpace: "pre-wrap" },
  ".cm-diagnostic-error": { borderLeft: "4px solid var(--failed)" },
  ".cm-diagnostic-warning": { borderLeft: "4px solid var(--busy)" },
  ".about-key": { padding: "0.5rem 0.7rem", display: "grid", gap: "0.2rem", fontFamily: "var(--font)" },
  ".about-key code": { fontWeight: "600", overflowWrap: "anywhere" },
  ".about-key small": { color: "var(--soft)" },
  ".cm-panels": { backgroundColor: "var(--sheet)", color: "var(--ink)", borderColor: "var(--line)" },
  ".cm-panels input, .cm-panels button": { fontSize: "var(--small)", minHeight: "1.75rem" },
  ".cm-button": { backgroundImage: "none", backgroundColor: "var(--sheet)", border: "1px solid var(--line-strong)", borderRadius: "var(--radius-small)" },
  ".cm-searchMatch": { backgroundColor: "var(--busy-soft)", outline: "1px solid var(--busy)" },
});

export interface Options extends Knowledge {
  text: string;
  writable: boolean;
  /** The id of what says how to leave the field by the keyboard. */
  hint: string;
  changed: (text: string) => void;
  save: () => void;
}

/** Only `\n` is a line break within the editor: what its text had at the ends of its lines is kept by whoever gives it. */
export class Editor {
  readonly view: EditorView;
  private readonly writable = new Compartment();
  private quiet = false;

  constructor(parent: HTMLElement, options: Options) {
    this.view = new EditorView({
      parent,
      state: EditorState.create({
        doc: options.text,
        extensions: [
          lineNumbers(),
          foldGutter(),
          lintGutter(),
          history(),
          drawSelection(),
          bracketMatching(),
          closeBrackets(),
          highlightActiveLine(),
          highlightSelectionMatches(),
          indentUnit.of("  "),
          EditorState.tabSize.of(2),
          EditorView.lineWrapping,
          yaml(),
          syntaxHighlighting(COLOURS),
          LOOK,
          autocompletion({ override: [(context) => complete(context, options)], icons: false }),
          hover(options),
          this.writable.of(EditorState.readOnly.of(!options.writable)),
          EditorView.contentAttributes.of({ tabindex: "0", "aria-label": "Text of the configuration file", "aria-describedby": options.hint }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged && !this.quiet) options.changed(update.state.doc.toString());
          }),
          keymap.of([
            { key: "Mod-s", preventDefault: true, run: () => (options.save(), true) },
            ...closeBracketsKeymap,
            ...defaultKeymap,
            ...searchKeymap,
            ...historyKeymap,
            ...foldKeymap,
            ...completionKeymap,
            ...lintKeymap,
            { key: "Tab", run: acceptCompletion },
            indentWithTab,
          ]),
        ],
      }),
    });
  }

  /** Another text, without telling that it changed. `line`: shown and selected. */
  put(text: string, writable: boolean): void {
    this.quiet = true;
    const { doc } = this.view.state;
    if (doc.toString() !== text) this.view.dispatch({ changes: { from: 0, to: doc.length, insert: text } });
    this.view.dispatch({ effects: this.writable.reconfigure(EditorState.readOnly.of(!writable)) });
    this.quiet = false;
  }

  mark(mistakes: readonly Marked[]): void {
    this.view.dispatch(setDiagnostics(this.view.state, mistakes.map((each) => this.diagnostic(each))));
  }

  private diagnostic({ line, column, message, remedy, severity }: Marked): Diagnostic {
    const { doc } = this.view.state;
    const row = doc.line(Math.min(Math.max(line, 1), doc.lines));
    const from = Math.min(row.from + Math.max(column - 1, 0), row.to);
    const word = /^[^\s:#]+/.exec(doc.sliceString(from, row.to))?.[0].length ?? 0;
    return { from, to: Math.min(from + Math.max(word, 1), row.to), severity, message: remedy ? `${message}\n${remedy}` : message };
  }

  show(line: number, column = 1, count = 1): void {
    const { doc } = this.view.state;
    const row = doc.line(Math.min(Math.max(line, 1), doc.lines));
    const last = doc.line(Math.min(row.number + count - 1, doc.lines));
    const anchor = count > 1 ? row.from : Math.min(row.from + column - 1, row.to);
    this.view.dispatch({
      selection: { anchor, head: count > 1 ? last.to : anchor },
      effects: EditorView.scrollIntoView(anchor, { y: "center" }),
    });
    this.view.focus();
  }

  close(): void {
    this.view.destroy();
  }
}
