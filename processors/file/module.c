/* file: the descriptors of what takes files from folders and puts files into them. */
#include "get-file.h"
#include "put-file.h"
#include "sluice/calls.h"

static const char get_manual[] =
    "Takes the files of a folder and its subfolders that match the filters. `source` must be said: delete removes a file after\n"
    "its FlowFile is safe in the journal, move moves it away then (into the same subfolder of move_to, as clip-1.mp4 where\n"
    "clip.mp4 is there), keep leaves it and needs no permission but to read: each version of a file (device, inode, size,\n"
    "mtime) is taken once, remembered over restarts. Only regular files are taken; symbolic links below the folder are not\n"
    "followed. Folders that became empty stay.\n"
    "\n"
    "When a file is ready. It must not have been changed for min_age, and no other process may have it open for writing (seen\n"
    "by a read lease, where the file system has them and the file is the daemon's own or it has CAP_LEASE; elsewhere min_age\n"
    "alone must do). A file that changes while it is read waits too.\n"
    "\n"
    "What cannot be read, file or folder, is named by a bulletin once as long as it lasts; the others are taken. A folder\n"
    "that cannot be read at all (or written, where files are to be removed) pauses the processor.\n"
    "\n"
    "Names are bytes. Where filename, path or absolute.path is not UTF-8, all three are percent-encoded and\n"
    "filename.encoding is \"percent\"; put-file undoes it for the name.\n"
    "\n"
    "Hidden files whose name holds \".sluice-\" are work in progress of get-file and put-file and never taken.\n";

static const char get_delivery[] =
    "A file becomes a FlowFile in one commit with its RECEIVE event, and is touched only after that is on disk. The commit\n"
    "holds what is to be removed (device, inode, size, mtime); then the file is renamed to a name of its own beside it,\n"
    "compared, and unlinked or moved. One that was replaced or written to since stays, under its name, and is taken again. If\n"
    "the process dies, the removal is repeated and finds what was done; a commit that did not happen leaves the file where it\n"
    "is, to be taken later. With source: keep the list of what was taken commits with the FlowFiles. A power cut right after\n"
    "a removal may bring the file back: it is taken twice rather than lost.\n";

static const char put_manual[] =
    "Writes the content to the file named by filename in `directory`: under a temporary name (.sluice- and digits) in the same\n"
    "folder, synced, then under its own. Whoever looks never sees half a file under the final name.\n"
    "\n"
    "The part of `directory` before what expressions give is the operator's own: its symbolic links are followed, and what is\n"
    "wrong with it pauses the processor. Below it names are data: `..`, empty names and symbolic links are refused, so that\n"
    "no FlowFile can write elsewhere; such a FlowFile leaves by failure. Missing folders are made, unless `create: false`.\n"
    "\n"
    "conflict, when a file of that name is there: fail sends the FlowFile to failure; replace replaces it; rename tries\n"
    "clip-1.mp4, clip-2.mp4, ...; ignore leaves the old one and lets the FlowFile go on by success, with an ADDINFO event\n"
    "instead of a SEND. The SHA-256 is computed on the way; content whose hash was known and is another now is not delivered.\n";

static const char put_delivery[] =
    "Where the file goes is evaluated once and journalled with the temporary name before anything is written; deliveries to\n"
    "one path run one after the other. The final name is a hard link (for replace a rename); the temporary one stays until the\n"
    "journal knows the final one. So a repeat after a crash sees by the links whether its file is in place, and never takes\n"
    "somebody else's for its own; replace simply writes again. On a file system without hard links a crash in that one\n"
    "moment may leave a file that the repeat takes for a stranger's: fail ends in failure, rename in a second copy.\n";

static const sluice_processor processors[] = {
    {
        .type = "get-file",
        .summary = "Takes files from a folder.",
        .manual = get_manual,
        .example = "pickup:\n"
                   "  type: get-file\n"
                   "  directory: /srv/inbox\n"
                   "  source: delete\n"
                   "  schedule: 5s\n"
                   "  to: {success: end}\n",
        .delivery = get_delivery,
        .properties = get_properties,
        .relationships = get_relationships,
        .writes = get_writes,
        .flags = SLUICE_ON_WORKER | SLUICE_SOURCE | SLUICE_SERIAL,
        .init = get_init,
        .fini = get_fini,
        .trigger = get_trigger,
        .effect = get_effect,
    },
    {
        .type = "put-file",
        .summary = "Writes content to files in a folder.",
        .manual = put_manual,
        .example = "park:\n"
                   "  type: put-file\n"
                   "  directory: \"/srv/parked/${path}\"\n"
                   "  conflict: rename\n"
                   "  to: {success: end, failure: hold}\n",
        .delivery = put_delivery,
        .properties = put_properties,
        .relationships = put_relationships,
        .reads = put_reads,
        .writes = put_writes,
        .flags = SLUICE_ON_WORKER | SLUICE_EFFECTS,
        .init = put_init,
        .fini = put_fini,
        .trigger = put_trigger,
    },
};

SLUICE_MODULE_PLAIN("file", "Files in folders, taken and delivered", processors);
