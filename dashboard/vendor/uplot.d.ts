/** The chart library; the build copies its module to where this file would be. */
export { default } from "uplot";
