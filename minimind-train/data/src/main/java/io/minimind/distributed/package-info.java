/**
 * Several processes that train one model together, on one machine or on several: how they find each
 * other, what they tell each other, and how one that fails ends all. It knows sockets and nothing
 * of models; {@code data} encodes a corpus by it, {@code runtime} averages gradients over it,
 * {@code train} agrees by it on what is done next.
 */
package io.minimind.distributed;
