/** Files that are whole or not there, folders, digests, and what to say of what cannot be read. */
package io.minimind.files;
