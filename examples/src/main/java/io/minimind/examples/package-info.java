/**
 * The commands of {@code ./minimind}: each a main that turns options into a call of the library and
 * what it reports into lines for people. Console, signals and the words of the command line are
 * here and nowhere else.
 */
package io.minimind.examples;
