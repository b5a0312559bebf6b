/** Where runs find the tasks of this module by their names, as they find those of any library. */
package io.minimind.posttraining;
