// Markdown to HTML that can do nothing: no markup of its own gets through, nothing is loaded, links open elsewhere.

import DOMPurify from "dompurify";
import hljs from "highlight.js/lib/core";
import bash from "highlight.js/lib/languages/bash";
import c from "highlight.js/lib/languages/c";
import cpp from "highlight.js/lib/languages/cpp";
import csharp from "highlight.js/lib/languages/csharp";
import css from "highlight.js/lib/languages/css";
import diff from "highlight.js/lib/languages/diff";
import dockerfile from "highlight.js/lib/languages/dockerfile";
import go from "highlight.js/lib/languages/go";
import ini from "highlight.js/lib/languages/ini";
import java from "highlight.js/lib/languages/java";
import javascript from "highlight.js/lib/languages/javascript";
import json from "highlight.js/lib/languages/json";
import markdown from "highlight.js/lib/languages/markdown";
import python from "highlight.js/lib/languages/python";
import rust from "highlight.js/lib/languages/rust";
import sql from "highlight.js/lib/languages/sql";
import typescript from "highlight.js/lib/languages/typescript";
import xml from "highlight.js/lib/languages/xml";
import yaml from "highlight.js/lib/languages/yaml";
import MarkdownIt from "markdown-it";

const LANGUAGES = {
  bash, c, cpp, csharp, css, diff, dockerfile, go, ini, java, javascript, json, markdown, python, rust, sql, typescript, xml, yaml,
};
for (const [name, language] of Object.entries(LANGUAGES)) hljs.registerLanguage(name, language);
hljs.registerAliases(["console", "shell-session"], { languageName: "bash" });

const LONGEST = 60_000; // of what is coloured: more would hold the page up

const md = new MarkdownIt({ html: false, linkify: true, breaks: false, highlight: coloured });
const { escapeHtml } = md.utils;

function coloured(code: string, language: string): string {
  if (!hljs.getLanguage(language) || code.length > LONGEST) return "";
  return hljs.highlight(code, { language, ignoreIllegals: true }).value;
}

md.renderer.rules.fence = (tokens, index) => {
  const { content, info } = tokens[index]!;
  const language = info.trim().split(/\s+/)[0] ?? "";
  const code = coloured(content, language) || escapeHtml(content);
  const bar = `<div class="bar"><span>${escapeHtml(language || "text")}</span><button type="button" data-copy="">Copy</button></div>`;
  return `<div class="code">${bar}<pre tabindex="0"><code>${code}</code></pre></div>\n`;
};
md.renderer.rules.code_block = (tokens, index) =>
  `<div class="code"><pre tabindex="0"><code>${escapeHtml(tokens[index]!.content)}</code></pre></div>\n`;
md.renderer.rules.table_open = () => '<div class="table" tabindex="0"><table>\n';
md.renderer.rules.table_close = () => "</table></div>\n";

// An image is an address that somebody else chose: it is shown as one, and loaded only by a press on it, elsewhere.
md.renderer.rules.image = (tokens, index) => {
  const token = tokens[index]!;
  const address = String(token.attrGet("src") ?? "");
  const words = `Image: ${token.content || "without a description"}`;
  if (!/^https?:/i.test(address)) return `<span class="image">${escapeHtml(words)}</span>`;
  return `<a class="image" href="${escapeHtml(address)}">${escapeHtml(`${words} (${address})`)}</a>`;
};

const ALLOWED = {
  ALLOWED_TAGS: [
    "a", "b", "blockquote", "br", "button", "code", "del", "div", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "li", "ol", "p",
    "pre", "s", "span", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
  ],
  ALLOWED_ATTR: ["class", "href", "start", "tabindex", "type", "data-copy", "target", "rel"],
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:)/i,
  ADD_URI_SAFE_ATTR: ["tabindex", "start", "type", "target", "rel"],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
};

DOMPurify.addHook("afterSanitizeAttributes", (node) => {
  if (node.tagName !== "A") return;
  node.setAttribute("target", "_blank");
  node.setAttribute("rel", "noopener noreferrer nofollow");
});

export function html(text: string): string {
  return DOMPurify.sanitize(md.render(text), ALLOWED);
}
