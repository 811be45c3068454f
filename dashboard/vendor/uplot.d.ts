/** The chart library; the build puts its module in this file's place. */
export { default } from "uplot";
