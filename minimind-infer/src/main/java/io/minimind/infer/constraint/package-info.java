/**
 * Structured output: answers that follow a JSON schema, a regular expression or a list of choices.
 *
 * <p>A schema is first read as the sets of values that meet it, by type ({@link
 * io.minimind.infer.constraint.Shape}), which can be joined, cut and excluded; what is below stays
 * a {@link io.minimind.infer.constraint.Goal} until it is needed. What is left becomes an {@link
 * io.minimind.infer.constraint.Expression}, and this an automaton over bytes with calls, some of
 * which count. The automaton walks the vocabulary, a tree of the tokens' bytes, to find the tokens
 * that may follow. Conditions on one string are made one by a deterministic automaton ({@link
 * io.minimind.infer.constraint.Derivatives}).
 */
package io.minimind.infer.constraint;
