// Stands in for AMD's header, of which the top uses these members.
#ifndef AP_AXI_SDATA_H
#define AP_AXI_SDATA_H

template <int Width, int User, int Id, int Dest>
struct ap_axiu {
  ap_uint<Width> data;
  ap_uint<(Width + 7) / 8> keep;
  ap_uint<(Width + 7) / 8> strb;
  ap_uint<1> last;
};

#endif
