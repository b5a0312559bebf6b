/**
 * Comparison with reference numbers of other implementations: {@link
 * io.minimind.verify.Verification} recomputes what a folder of them holds and says how far off it
 * is.
 */
package io.minimind.verify;
