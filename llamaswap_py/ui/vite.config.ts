import { svelte } from "@sveltejs/vite-plugin-svelte";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const WORTH_COMPRESSING = /\.(js|css|html|svg|txt|webmanifest)$/;

/** Beside every file its brotli and gzip copies, so that the server only chooses. */
function compressed(): Plugin {
  let folder = "";
  return {
    name: "compressed",
    apply: "build",
    configResolved(config) {
      folder = resolve(config.root, config.build.outDir);
    },
    closeBundle(error) {
      if (error) return; // it says what is wrong; there is nothing to compress
      for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile() || !WORTH_COMPRESSING.test(entry.name)) continue;
        const path = join(entry.parentPath, entry.name);
        const content = readFileSync(path);
        if (content.length < 512) continue;
        writeFileSync(`${path}.br`, brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
        writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
      }
    },
  };
}

/** `licences.txt`: the notices of the libraries that the page carries. */
function licences(): Plugin {
  return {
    name: "licences",
    apply: "build",
    generateBundle(_, bundle) {
      const modules = Object.values(bundle).flatMap((part) => (part.type === "chunk" ? part.moduleIds : []));
      const places = modules.map((id) => /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(id)?.[0]).filter((place) => place !== undefined);
      const notices = [...new Set(places)].sort().map((place) => {
        const about = JSON.parse(readFileSync(join(place, "package.json"), "utf8")) as Record<string, string>;
        const file = readdirSync(place).find((name) => /^(licen[cs]e|copying)/i.test(name));
        const text = file ? readFileSync(join(place, file), "utf8").trim() : "";
        return `${about.name} ${about.version} (${about.license})\n\n${text}\n`;
      });
      this.emitFile({ type: "asset", fileName: "licences.txt", source: notices.join(`\n${"-".repeat(80)}\n\n`) });
    },
  };
}

export default defineConfig({
  base: "./", // relative, so that the page works under any sub-path
  plugins: [svelte(), licences(), compressed()],
  build: {
    outDir: "built",
    emptyOutDir: true,
    cssCodeSplit: false, // a new sheet makes the browser style everything anew, in the moment in which a view is opened
    target: "es2022",
    cssTarget: ["chrome123", "firefox120", "safari17.5"], // the first with light-dark()
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0, // nothing as data: in a script or style
    chunkSizeWarningLimit: 700,
    reportCompressedSize: false,
  },
  server: {
    // `npm run dev` beside a server of ours: LLAMASWAP_URL says where, if not at the usual place
    proxy: Object.fromEntries(
      ["/api", "/v1", "/running", "/logs", "/upstream", "/models", "/health", "/metrics"].map((path) => [
        path,
        { target: process.env.LLAMASWAP_URL ?? "http://127.0.0.1:8080", changeOrigin: true },
      ]),
    ),
  },
  resolve: process.env.VITEST ? { conditions: ["browser"] } : {}, // tests see the page's Svelte, not the server's
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
