import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));

const SIMULATIONS = ["test/simulation/**/*.test.ts", "test/**/*.clock.test.ts"];

export default defineConfig({
  resolve: {
    alias: [
      { find: /^tslibmc$/, replacement: source("./src/index.ts") },
      { find: /^tslibmc\/discovery$/, replacement: source("./src/discovery/index.ts") },
      { find: /^tslibmc\/migration$/, replacement: source("./src/migration/index.ts") },
      { find: /^tslibmc\/testing$/, replacement: source("./src/testing/index.ts") },
    ],
  },
  test: {
    testTimeout: 20_000,
    hookTimeout: 60_000,
    coverage: { include: ["src/**/*.ts"], reporter: ["text", "html"] },
    projects: [
      {
        extends: true,
        test: {
          name: "tslibmc",
          include: ["test/**/*.test.ts"],
          exclude: SIMULATIONS,
          isolate: false,
          typecheck: {
            enabled: true,
            include: ["test/types/**/*.test-d.ts"],
            ignoreSourceErrors: true,
          },
        },
      },
      // They take over clocks, chance and sockets of their whole process, which is theirs alone.
      { extends: true, test: { name: "simulation", include: SIMULATIONS, isolate: true } },
    ],
  },
});
