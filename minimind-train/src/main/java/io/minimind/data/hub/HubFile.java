package io.minimind.data.hub;

import java.util.Optional;

/**
 * A file of a data set.
 *
 * @param path within the data set, with slashes
 * @param size in bytes
 * @param sha256 its SHA-256 in hexadecimal, if the hub knows it
 * @param gitBlob its SHA-1 as git computes it, if the hub knows that instead
 */
public record HubFile(String path, long size, Optional<String> sha256, Optional<String> gitBlob) {}
