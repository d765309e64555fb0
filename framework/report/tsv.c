#include "report/tsv.h"
#include "report/gate_line.h"
#include "store/file.h"
#include "verdict/stats.h"

#include <math.h>

static void put_number(FILE *out, double v)
{
	if (isfinite(v))
		fprintf(out, "\t%.6g", v);
	else
		fputs("\t-", out);
}

static void put_row(FILE *out, const struct tg_result *row)
{
	const struct tg_verdict *v = &row->verdict;
	bool compared = row->judged && (v->kind <= TG_INCONCLUSIVE) && isfinite(v->lo);

	fprintf(out, "%s\t%s\t%s\t%s\t%d\t%zu", row->bench, row->lane, row->ref, row->unit, row->cpus,
		row->blocks);
	put_number(out, tg_median(row->cost, row->blocks));
	put_number(out, tg_gate_line_value(row));
	put_number(out, compared ? v->base : NAN);
	put_number(out, compared ? v->lo : NAN);
	put_number(out, compared ? v->hi : NAN);
	put_number(out, compared ? v->mde : NAN);
	fprintf(out, "\t%s\t%s\n", !row->judged ? "-" : v->role == TG_ROLE_GATE ? "gate" : "watch",
		row->judged ? tg_verdict_name(v->kind) : "-");
}

void tg_tsv_print(FILE *out, const struct tg_results *r)
{
	fputs("bench\tlane\tref\tunit\tcpus\tblocks\tcost\tslowdown\tbase\tdelta_lo\tdelta_hi\tmde\trole\t"
	      "verdict\n",
		out);
	for (size_t i = 0; i < r->count; i++)
		put_row(out, &r->v[i]);
}

int tg_tsv_write(const struct tg_results *r, const char *path, struct tg_err *err)
{
	struct tg_newfile f = {0};

	if (tg_newfile_open(&f, path, err) < 0)
		return -err->code;
	tg_tsv_print(f.stream, r);
	return tg_newfile_publish(&f, err);
}
