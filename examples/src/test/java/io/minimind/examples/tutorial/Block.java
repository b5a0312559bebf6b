package io.minimind.examples.tutorial;

import java.util.Optional;

/**
 * A fenced block of a tutorial.
 *
 * @param language what stands after the fence: {@code sh}, {@code java}, {@code output} and so on
 * @param line of the fence in the tutorial, from 1
 * @param note the directions for the test in the comment right before it
 */
record Block(String language, String text, int line, Optional<Note> note) {}
