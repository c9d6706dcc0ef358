import { defineConfig } from "vite";

export default defineConfig({
  // Everything comes from the console itself; nothing is inlined, because its content security policy forbids it.
  build: { target: "es2022", assetsInlineLimit: 0, cssCodeSplit: false, modulePreload: false },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
});
