import { defineConfig, type OxlintOverride } from "oxlint";

const OPERATIONS = ["backup", "restore", "verify", "prune"];

/**
 * The folders of src/, from the top layer to the bottom: a file imports from its own folder and from the layers below. Folders
 * of one layer do not import each other.
 */
const LAYERS: { folders: string[]; why: string }[] = [
  { folders: ["functions"], why: "functions/ registers with the host; nothing imports it." },
  {
    folders: ["orchestration", "api"],
    why: "Operations know neither who calls them nor who starts them: so they run, and are tested, without a host.",
  },
  {
    folders: OPERATIONS,
    why: "No operation imports another, and nothing below knows of them: what two of them need has a folder of its own.",
  },
  { folders: ["store"], why: "A store finds and keeps contents; what lies below it knows no layout." },
  { folders: ["manifest"], why: "A manifest is read from the ledger, which knows nothing of trees." },
  { folders: ["ledger"], why: "The ledger is kept in the account, which knows nothing of runs." },
  { folders: ["telemetry"], why: "The account knows nothing of who counts its requests." },
  { folders: ["storage"], why: "The disk knows nothing of the account." },
  { folders: ["files"], why: "Types and rules do no I/O." },
  { folders: ["model"], why: "" },
];

const OUTSIDE = [
  { group: ["**/local/**"], message: "The app runs on any host; it knows nothing of the local one." },
  { group: ["**/cli/**", "**/client/**"], message: "The app knows nothing of its clients." },
];

const NO_FUNCTIONS = {
  group: ["@azure/functions", "durable-functions", "**/services.ts"],
  message: "The domain knows nothing of Functions: it is called by functions/, and tested without a host.",
};

const ONLY_THE_SEAM = {
  group: [
    "**/store/**",
    ...["store", "storing", "fetching", "pruning", "open-store"].map((file) => `!**/store/${file}.ts`),
  ],
  message:
    "Operations know the interface of a store, and no layout behind it: each layout works with every operation.",
};

const NO_SETTINGS = {
  group: ["**/settings.ts", "**/services.ts", "@azure/*"],
  message: "Neither the model nor the disk knows of settings or the account.",
};

const NOT_THE_APP = {
  group: ["**/src/**", "!**/src/model/{path,safe-path}.ts"],
  message:
    "The local host and the clients are built apart from the app: they know it by its HTTP API alone, and share only the form of a path.",
};

/** Node 22, on which the app runs too, finds few of the names that a CommonJS package exports. */
const NAMES_OF_FUNCTIONS = {
  name: "@azure/functions",
  importNames: ["HttpResponse", "HttpRequest", "InvocationContext"],
  allowTypeImports: true,
  message: "Node 22 does not find this name of a CommonJS package: import the package's default instead.",
};

const SHARED = "What the dashboard shares with the command line is in client/.";

const REPLAYED =
  "An orchestrator is replayed: use context.df (currentUtcDateTime, newGuid, createTimer), or an activity.";

type Rules = NonNullable<OxlintOverride["rules"]>;

const forbid = (patterns: { group: string[]; message: string }[]): Rules => ({
  "no-restricted-imports": ["error", { paths: [NAMES_OF_FUNCTIONS], patterns }],
});

const layerOf = (folder: string): number => LAYERS.findIndex(({ folders }) => folders.includes(folder));

/** What a folder may not import: the layers above it, and the other folders of its own. */
function notFrom(folder: string, layer = layerOf(folder)) {
  const above = LAYERS.slice(0, layer + 1).map(({ folders, why }) => ({
    group: folders.filter((other) => other !== folder).map((other) => `**/${other}/**`),
    message: why,
  }));
  return above.filter(({ group }) => group.length > 0);
}

/** All that a folder may not import. */
const forFolder = (folder: string) => [
  ...OUTSIDE,
  ...notFrom(folder),
  ...(layerOf(folder) >= 2 && folder !== "telemetry" ? [NO_FUNCTIONS] : []),
  ...(OPERATIONS.includes(folder) ? [ONLY_THE_SEAM] : []),
  ...(["files", "model"].includes(folder) ? [NO_SETTINGS] : []),
];

const folderRules = LAYERS.flatMap(({ folders }) =>
  folders.map((folder) => ({ files: [`src/${folder}/**/*.ts`], rules: forbid(forFolder(folder)) })),
);

const layoutsApart = ["files", "packs"].map((layout) => ({
  files: [`src/store/${layout}/**/*.ts`],
  rules: forbid([
    ...forFolder("store"),
    {
      group: [layout === "files" ? "../packs/**" : "../files/**"],
      message: "No layout imports the other: what both need has a place beside them.",
    },
  ]),
}));

/** What holds for code that is replayed. */
const orchestrator = (folder: string): Rules => ({
  ...forbid([
    ...forFolder(folder),
    {
      group: [
        "node:*",
        "@azure/*",
        "**/services.ts",
        "**/settings.ts",
        "**/storage/**",
        "**/store/**",
        "**/files/**",
      ],
      message: "An orchestrator does no I/O: call an activity.",
    },
  ]),
  "no-restricted-globals": [
    "error",
    ...["process", "Date", "performance", "fetch", "setTimeout", "setInterval", "crypto"].map((name) => ({
      name,
      message: REPLAYED,
    })),
  ],
  "no-restricted-properties": ["error", { object: "Math", property: "random", message: REPLAYED }],
});

export default defineConfig({
  plugins: ["typescript", "import", "unicorn", "promise", "node", "vitest"],
  categories: { correctness: "error" },
  rules: {
    "typescript/no-floating-promises": "error",
    "typescript/no-misused-promises": "error",
    "typescript/await-thenable": "error",
    "typescript/return-await": ["error", "error-handling-correctness-only"],
    "typescript/no-explicit-any": "error",
    "typescript/switch-exhaustiveness-check": "error",
    "typescript/consistent-type-imports": "error",
    "import/no-cycle": ["error", { ignoreTypes: false }],
    "vitest/expect-expect": ["error", { assertFunctionNames: ["expect", "expect*", "fc.assert"] }],
    "vitest/valid-expect": ["error", { maxArgs: 2 }],
    "no-console": "off",
    eqeqeq: "error",
  },
  ignorePatterns: ["dist", ".local", "test/fixtures"],
  // Of two overrides that set one rule for a file the last one counts: they are not merged.
  overrides: [
    { files: ["src/**/*.ts"], rules: forbid(OUTSIDE) },
    ...folderRules,
    // Settings and clients know what they hold values of, and nothing of runs.
    { files: ["src/*.ts"], rules: forbid([...OUTSIDE, ...notFrom("settings", layerOf("ledger"))]) },
    ...layoutsApart,
    { files: ["src/orchestration/**/*.ts"], rules: orchestrator("orchestration") },
    {
      files: ["src/functions/{backupSiteContent,restoreSiteContent,verifyBackup,pruneBackups,largeFiles}.ts"],
      rules: orchestrator("functions"),
    },
    {
      files: ["local/**/*.ts"],
      rules: forbid([
        NOT_THE_APP,
        { group: ["**/cli/**", "**/client/**", "**/dashboard/**"], message: "The local host runs any app." },
      ]),
    },
    {
      files: ["cli/**/*.ts"],
      rules: forbid([NOT_THE_APP, { group: ["**/dashboard/**"], message: SHARED }]),
    },
    {
      files: ["client/**/*.ts"],
      rules: forbid([
        NOT_THE_APP,
        {
          group: ["**/cli/**", "**/dashboard/**", "**/local/**", "node:*"],
          message: "What the command line and the dashboard share runs in a browser, too.",
        },
      ]),
    },
    {
      files: ["dashboard/**/*.ts"],
      rules: forbid([
        NOT_THE_APP,
        { group: ["**/cli/**"], message: SHARED },
        { group: ["**/local/**", "node:*"], message: "The dashboard runs in a browser." },
      ]),
    },
  ],
});
