/** What {@code torch.save} writes: a pickle that is read without executing any of it. */
package io.minimind.weights.torch;
